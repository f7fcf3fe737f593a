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

export function u64(value: number): Buffer {
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
