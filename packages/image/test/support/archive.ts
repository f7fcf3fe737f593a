import { Header } from "tar/header";

/** One entry of an archive, written as it is said and not as it should be. */
export interface Raw {
  readonly path: string;
  /** The letter of its type. */
  readonly type?: string;
  readonly linkpath?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly body?: string | Buffer;
  /** What the header says of the size, whatever follows. */
  readonly size?: number;
}

/** A tar archive with those entries in that order. */
export function archive(...entries: readonly (Raw | Buffer)[]): Buffer {
  const blocks = entries.map((entry) => (Buffer.isBuffer(entry) ? entry : blocksOf(entry)));
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The records of a pax header for the entry that follows. */
export function pax(records: Readonly<Record<string, string>>): Buffer {
  const body = Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      let size = rest + 1;
      while (String(size).length + rest !== size) size = String(size).length + rest;
      return `${size} ${key}=${value}\n`;
    })
    .join("");
  return blocksOf({ path: "pax", type: "x", body });
}

function blocksOf({ path, type = "0", linkpath = "", body = "", size, ...rest }: Raw): Buffer {
  const bytes = Buffer.from(body);
  const block = Buffer.alloc(512);
  const { mode = 0o644, uid = 0, gid = 0 } = rest;
  const header = new Header({
    path: Buffer.byteLength(path) > 99 ? "long" : path,
    linkpath,
    mode,
    uid,
    gid,
    size: size ?? bytes.length,
    mtime: new Date(1e12),
  });
  header.encode(block);
  block.write(type, 156, 1, "latin1");
  seal(block);
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  return Buffer.concat([...longName(path), block, bytes, padding]);
}

function longName(path: string): Buffer[] {
  return Buffer.byteLength(path) > 99 ? [long("L", path)] : [];
}

/** GNU's long name (L), or long target of a link (K), for the entry that follows. */
export function long(type: "L" | "K", name: string): Buffer {
  return blocksOf({ path: "x", type, body: `${name}\0` });
}

/** Sets the checksum. */
export function seal(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block.subarray(0, 512)) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return block;
}
