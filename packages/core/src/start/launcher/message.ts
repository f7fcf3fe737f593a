import { type Cursor, type Decoders, frameReader } from "./frame.js";

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
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** In blocks of 512 bytes. */
  readonly blocksRead: number;
  readonly blocksWritten: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/**
 * Takes the bytes of a launcher as they come and calls back for each message.
 *
 * @throws RangeError when they do not follow the protocol.
 */
export function messageReader(onMessage: (message: Message) => void): (chunk: Buffer) => void {
  return frameReader(DECODERS, onMessage);
}

const NAMESPACE_ORDER = ["mount", "pid", "ipc", "uts", "user", "cgroup", "network"] as const;

const DECODERS: Decoders<Message> = {
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
  F: failed,
  X: (cursor) => ({
    type: "exited",
    id: cursor.u32(),
    status: cursor.u32(),
    userTime: cursor.u64(),
    systemTime: cursor.u64(),
    maxResident: cursor.u64(),
    minorFaults: cursor.u64(),
    majorFaults: cursor.u64(),
    blocksRead: cursor.u64(),
    blocksWritten: cursor.u64(),
    voluntarySwitches: cursor.u64(),
    involuntarySwitches: cursor.u64(),
  }),
};

/** Also what a fork server says of a launcher that it could not start. */
function failed(cursor: Cursor): Failed {
  return {
    type: "failed",
    id: cursor.u32(),
    kind: cursor.u8(),
    errno: cursor.i32(),
    path: cursor.str(),
    what: cursor.str(),
  };
}

/** What a fork server says of the launchers that it starts. */
export type ServerMessage = Began | Said | Gone | Failed | ToolPipes | ToolStarted;

/** The fds in the server's table that lead to those of a tool's that are pipes, in their order; -1 for none. */
export interface ToolPipes {
  readonly type: "tool pipes";
  readonly id: number;
  readonly fds: readonly [number, number, number];
}

/** A tool has a process, and is about to be executed. */
export interface ToolStarted {
  readonly type: "tool started";
  readonly id: number;
  readonly pid: number;
}

/** A launcher is about to be there. */
export interface Began {
  readonly type: "began";
  readonly id: number;
  /** The fds in the server's table that lead to the standard streams; -1 for none. */
  readonly fds: readonly [number, number, number];
}

/** A launcher has written something to core. */
export interface Said {
  readonly type: "said";
  readonly id: number;
  readonly bytes: Buffer;
}

/** A launcher has ended. */
export interface Gone {
  readonly type: "gone";
  readonly id: number;
  /** As wait(2) gives it. */
  readonly status: number;
}

/**
 * Takes the bytes of a fork server as they come and calls back for each message.
 *
 * @throws RangeError when they do not follow the protocol.
 */
export function serverMessageReader(
  onMessage: (message: ServerMessage) => void,
): (chunk: Buffer) => void {
  return frameReader(SERVER_DECODERS, onMessage);
}

const SERVER_DECODERS: Decoders<ServerMessage> = {
  B: (cursor) => ({
    type: "began",
    id: cursor.u32(),
    fds: [cursor.i32(), cursor.i32(), cursor.i32()],
  }),
  R: (cursor) => ({
    type: "tool pipes",
    id: cursor.u32(),
    fds: [cursor.i32(), cursor.i32(), cursor.i32()],
  }),
  S: (cursor) => ({ type: "tool started", id: cursor.u32(), pid: cursor.u32() }),
  U: (cursor) => ({ type: "said", id: cursor.u32(), bytes: cursor.rest() }),
  G: (cursor) => ({ type: "gone", id: cursor.u32(), status: cursor.u32() }),
  F: failed,
};
