/** Puts a frame of the launcher's protocol together: its length, its type, its payload. */
export function frame(type: string, ...payload: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), ...payload]);
  return Buffer.concat([u32(body.length), body]);
}

/** A part of a payload that says what it is: its tag, its length, its body. */
export function record(tag: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(tag, "latin1"), u32(body.length), body]);
}

/** Several numbers of one byte. */
export function u8(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** A length and a string with its NUL. */
export function str(text: string | Uint8Array): Buffer {
  if (typeof text !== "string") return Buffer.concat([u32(text.length + 1), text, u8(0)]);
  const size = Buffer.byteLength(text) + 1;
  const bytes = Buffer.allocUnsafe(4 + size);
  bytes.writeUInt32LE(size);
  bytes.write(text, 4);
  bytes[3 + size] = 0;
  return bytes;
}

/** A count, and that many strings. */
export function strs(texts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat([u32(texts.length), ...texts.map(str)]);
}

/** What makes a message of a frame's payload, by the type of the frame. */
export type Decoders<Message> = Readonly<Record<string, (cursor: Cursor) => Message>>;

/**
 * Takes the bytes of a channel as they come and calls back for each message.
 *
 * @throws RangeError when they do not follow the protocol.
 */
export function frameReader<Message>(
  decoders: Decoders<Message>,
  onMessage: (message: Message) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32LE(0);
      if (length > MAX_FRAME) throw new RangeError(`a frame of ${length} bytes`);
      const end = 4 + length;
      if (rest.length < end) return;
      const message = decode(decoders, new Cursor(rest.subarray(4, end)));
      rest = rest.subarray(end);
      onMessage(message);
    }
  };
}

const MAX_FRAME = 16 * 1024 * 1024;

function decode<Message>(decoders: Decoders<Message>, cursor: Cursor): Message {
  const type = cursor.char();
  const read = decoders[type];
  if (read === undefined) throw new RangeError(`a frame of the type ${JSON.stringify(type)}`);
  const message = read(cursor);
  cursor.end();
  return message;
}

/** Reads a payload from left to right; every read beyond its end is a RangeError of Buffer's. */
export class Cursor {
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

  /** All that is left. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#take(this.#bytes.length - this.#at));
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
