/** What the launcher says. */
export type Message = Ready | Pipes | Failed | Exited;

/** The sandbox is set up; everything here was read back from the kernel. */
export interface Ready {
  readonly type: "ready";
  readonly initPid: number;
  /** Inodes, as namespaces(7) numbers them. */
  readonly namespaces: Readonly<Record<(typeof NAMESPACE_ORDER)[number], number>>;
  /** The union of the five capability sets. */
  readonly capabilities: bigint;
  readonly noNewPrivileges: boolean;
  /** statvfs(3) flags of the root, and of each mount in the order of the plan. */
  readonly rootFlags: number;
  readonly mounts: readonly { readonly path: string; readonly flags: number }[];
}

/** The fds in the launcher's table that lead to a command's streams; -1 for none. */
export interface Pipes {
  readonly type: "pipes";
  readonly id: number;
  readonly fds: readonly [number, number, number];
}

/** Something went wrong: with the sandbox itself if the id is 0, else with a command. */
export interface Failed {
  readonly type: "failed";
  readonly id: number;
  readonly kind: number;
  readonly errno: number;
  readonly path: string;
  readonly what: string;
}

/** A command has ended. */
export interface Exited {
  readonly type: "exited";
  readonly id: number;
  /** As wait(2) gives it. */
  readonly status: number;
  /** Microseconds. */
  readonly userTime: number;
  readonly systemTime: number;
  /** KiB. */
  readonly maxResident: number;
}

/**
 * Takes the bytes of the channel as they come and calls back for each message.
 *
 * @throws RangeError when they do not follow the protocol.
 */
export function messageReader(onMessage: (message: Message) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32LE(0);
      if (length > MAX_FRAME) throw new RangeError(`a frame of ${length} bytes`);
      const end = 4 + length;
      if (rest.length < end) return;
      const message = decode(new Cursor(rest.subarray(4, end)));
      rest = rest.subarray(end);
      onMessage(message);
    }
  };
}

const MAX_FRAME = 16 * 1024 * 1024;
const NAMESPACE_ORDER = ["mount", "pid", "ipc", "uts", "user", "cgroup", "network"] as const;

function decode(cursor: Cursor): Message {
  const type = cursor.char();
  const read = DECODERS[type];
  if (read === undefined) throw new RangeError(`a frame of the type ${JSON.stringify(type)}`);
  const message = read(cursor);
  cursor.end();
  return message;
}

const DECODERS: Readonly<Record<string, (cursor: Cursor) => Message>> = {
  R: (cursor) => ({
    type: "ready",
    initPid: cursor.u32(),
    namespaces: Object.fromEntries(
      NAMESPACE_ORDER.map((name) => [name, cursor.u64()]),
    ) as Ready["namespaces"],
    capabilities: cursor.bits(),
    noNewPrivileges: cursor.u8() === 1,
    rootFlags: cursor.u64(),
    mounts: Array.from({ length: cursor.count() }, () => ({
      path: cursor.str(),
      flags: cursor.u64(),
    })),
  }),
  P: (cursor) => ({
    type: "pipes",
    id: cursor.u32(),
    fds: [cursor.i32(), cursor.i32(), cursor.i32()],
  }),
  F: (cursor) => ({
    type: "failed",
    id: cursor.u32(),
    kind: cursor.u8(),
    errno: cursor.i32(),
    path: cursor.str(),
    what: cursor.str(),
  }),
  X: (cursor) => {
    const [id, status] = [cursor.u32(), cursor.u32()];
    const [userTime = 0, systemTime = 0, maxResident = 0] = Array.from({ length: 9 }, () =>
      cursor.u64(),
    );
    return { type: "exited", id, status, userTime, systemTime, maxResident };
  },
};

/** Reads a payload from left to right; every read beyond its end is a RangeError of Buffer's. */
class Cursor {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  char(): string {
    return String.fromCharCode(this.u8());
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  u64(): number {
    return Number(this.bits());
  }

  bits(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  /** A number of things of at least one byte each. */
  count(): number {
    const count = this.u32();
    if (count > this.#bytes.length) throw new RangeError(`a count of ${count}`);
    return count;
  }

  str(): string {
    const length = this.u32();
    const start = this.#take(length);
    if (length === 0 || this.#bytes[this.#at - 1] !== 0) throw new RangeError("a string is cut");
    return this.#bytes.toString("utf8", start, this.#at - 1);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("a frame is too long");
  }

  #take(size: number): number {
    const at = this.#at;
    this.#at += size;
    return at;
  }
}
