/** The protocol by hand, so that whatever is wrong can be written too. */

/** A frame of one type, or of none when it is empty. */
export function frame(type: string, ...payload: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), ...payload]);
  return Buffer.concat([u32(body.length), body]);
}

/** A record of a set-up; `size` is what it claims to hold. */
export function record(
  tag: string,
  body: Uint8Array = Buffer.alloc(0),
  size: number = body.length,
): Buffer {
  return Buffer.concat([Buffer.from(tag, "latin1"), u32(size), body]);
}

/** Little-endian. */
export function u32(...values: readonly number[]): Buffer {
  return bytesOf(Uint32Array.from(values));
}

/** Bytes as they are. */
export function u8(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

/** A string as the protocol has it, with its NUL. */
export function str(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`);
  return Buffer.concat([u32(bytes.length), bytes]);
}

/** A count, and as many strings. */
export function strs(...texts: readonly string[]): Buffer {
  return Buffer.concat([u32(texts.length), ...texts.map(str)]);
}

/** What a set-up starts with, in its order. */
export const HEAD = {
  version: record("V", u32(1)),
  mode: record("M", u8(0)),
  namespaces: record("N", u32(31)),
  ids: record("I", u32(1000, 1000)),
  root: record("R", Buffer.concat([u8(1), str("/")])),
} as const;

/** A set-up with those parts replaced, and the records that follow. */
export function setup(
  parts: Partial<Record<keyof typeof HEAD, Uint8Array>>,
  ...records: readonly Uint8Array[]
): Buffer {
  return Buffer.concat([...Object.values({ ...HEAD, ...parts }), ...records]);
}

/** The fields of a mount. The type is its letter. */
export interface MountFields {
  readonly type: string;
  readonly flags?: number;
  readonly size?: bigint;
  readonly source?: string;
  readonly target?: string;
}

/** A mount record. */
export function mount(fields: MountFields): Buffer {
  return record("m", mountBody(fields));
}

/** What a mount record holds. */
export function mountBody({
  type,
  flags = 4,
  size = 0n,
  source = "",
  target = "/tmp",
}: MountFields): Buffer {
  const head = Buffer.concat([Buffer.from(type, "latin1"), u8(flags), u64(size)]);
  return Buffer.concat([head, str("mounts[0]"), str(source), str(target)]);
}

/** The fields of a command as they are on the wire. */
export interface CommandFields {
  readonly id?: number;
  readonly streams?: readonly [number, number, number];
  readonly cwd?: Uint8Array;
  readonly argv?: Uint8Array;
  readonly env?: Uint8Array;
  readonly records?: Uint8Array;
}

/** A command. */
export function command({
  id = 1,
  streams = [0, 0, 0],
  cwd = str("/"),
  argv = strs("/bin/true"),
  env = strs("PATH=/bin"),
  records = u8(),
}: CommandFields): Buffer {
  return Buffer.concat([u32(id), u8(...streams), cwd, argv, env, records]);
}

/** A limit of a command. */
export function limit(resource: number, soft: bigint, hard: bigint): Buffer {
  return record("L", Buffer.concat([u8(resource), u64(soft), u64(hard)]));
}

/** The size of a command's terminal. */
export function terminal(columns: number, rows: number): Buffer {
  return record("T", u32(columns, rows));
}

function u64(value: bigint): Buffer {
  return bytesOf(BigUint64Array.of(value));
}

function bytesOf(array: Uint32Array | BigUint64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
