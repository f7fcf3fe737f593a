import { invalidImage } from "../errors.js";
import { BLOCK } from "./blocks.js";
import { seal, writeNumber } from "./header.js";
import { nameBytes, shownName } from "./names.js";
import type { Part, SparseMap } from "./sparse.js";

/** An entry of an archive whose name cannot lead out of the root. */
export interface Entry {
  readonly type: "file" | "directory" | "symlink" | "link" | "fifo";
  /** A path without `.`, `..` and slashes at its ends. It and the target are as in `names.ts`. */
  readonly path: string;
  /** Of a symlink the text that the archive has; of a hard link a path such as `path`; else empty. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The bytes of the body. */
  readonly size: number;
  /** Where they belong in a file with holes. */
  readonly sparse?: SparseMap | undefined;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** The most bytes of a path. The kernel takes 4095, of which the path of the cache needs some. */
const LONGEST_PATH = 3000;
const LONGEST_NAME = 255;
/** The most bytes of a name in a header. A longer name takes an entry of its own. */
const HEADER_NAME = 99;

/**
 * Normalizes a name in an archive, so that it is a path below the root. An absolute name starts at the root, too.
 *
 * @param what - How errors call the name.
 * @throws SandboxError `IMAGE_INVALID` for a name that leads out of the root, or that no file can have.
 */
export function plainPath(name: string, what = "entry"): string {
  const refuse = (why: string): Error => invalidImage(`${what} ${shownName(name)}: ${why}`);
  if (name.includes("\0")) throw refuse("holds a NUL byte");
  if (name.length > LONGEST_PATH) throw refuse("is longer than a path may be here");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refuse("leads out of the image");
  if (parts.some((part) => part.length > LONGEST_NAME))
    throw refuse("holds a name that is longer than one can be");
  return parts.join("/");
}

/**
 * Writes the header of an entry in the form that every tar(1) reads: a long name is an entry of its own, as GNU tar writes
 * it. The owner is always root. A file with holes has GNU tar's old form, whose parts are whole blocks.
 */
export function encodeEntry(entry: Entry): Buffer[] {
  const { type, target, sparse } = entry;
  const path = type === "directory" ? `${entry.path}/` : entry.path;
  const block = headerBlock(sparse === undefined ? TYPES[type] : "S", path, target, entry);
  const isLink = type === "link" || type === "symlink";
  const map = sparse === undefined ? [] : writeMap(block, sparse);
  seal(block);
  return [
    ...(isLong(path) ? longName(path, "L") : []),
    ...(isLink && isLong(target) ? longName(target, "K") : []),
    block,
    ...map,
  ];
}

const TYPES = { file: "0", link: "1", symlink: "2", directory: "5", fifo: "6" } as const;

type Numbers = Pick<Entry, "mode" | "size" | "mtime">;

function headerBlock(type: string, path: string, target: string, numbers: Numbers): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(isLong(path) ? "long" : path, 0, 100, "latin1");
  writeNumber(block, 100, 8, numbers.mode);
  writeNumber(block, 108, 8, 0);
  writeNumber(block, 116, 8, 0);
  writeNumber(block, 124, 12, numbers.size);
  writeNumber(block, 136, 12, Math.min(LATEST, Math.max(0, Math.floor(numbers.mtime))));
  block.write(type, 156, 1, "latin1");
  block.write(isLong(target) ? "long" : target, 157, 100, "latin1");
  block.write(type === "S" ? "ustar  \0" : "ustar\x0000", 257, 8, "latin1");
  return block;
}

/** The latest time that eleven octal digits can hold, in seconds since 1970. */
const LATEST = 8 ** 11 - 1;

/** How many parts a header holds, and how many each block after it. */
const IN_HEADER = 4;
const IN_BLOCK = 21;

/** Writes a map of holes: its start to the header, and the rest to blocks that follow the header. */
function writeMap(header: Buffer, { parts, realSize }: SparseMap): Buffer[] {
  const last = parts.at(-1) ?? [0, 0];
  // GNU tar knows by an empty part at the end that there is a hole before it.
  const all: Part[] = last[0] + last[1] < realSize ? [...parts, [realSize, 0]] : [...parts];
  writeParts(header, 386, all.splice(0, IN_HEADER));
  header[482] = all.length > 0 ? 1 : 0;
  writeNumber(header, 483, 12, realSize);
  const blocks: Buffer[] = [];
  while (all.length > 0) {
    const block = Buffer.alloc(BLOCK);
    writeParts(block, 0, all.splice(0, IN_BLOCK));
    block[504] = all.length > 0 ? 1 : 0;
    blocks.push(block);
  }
  return blocks;
}

function writeParts(block: Buffer, at: number, parts: readonly Part[]): void {
  for (const [index, [offset, size]] of parts.entries()) {
    writeNumber(block, at + 24 * index, 12, offset);
    writeNumber(block, at + 24 * index + 12, 12, size);
  }
}

function isLong(name: string): boolean {
  return name.length > HEADER_NAME;
}

function longName(name: string, type: "L" | "K"): Buffer[] {
  const body = nameBytes(`${name}\0`);
  const header = headerBlock(type, "././@LongLink", "", {
    mode: 0o644,
    size: body.length,
    mtime: 0,
  });
  seal(header);
  return [header, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
}
