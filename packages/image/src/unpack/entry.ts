import { Header } from "tar/header";
import { invalidImage, shown } from "../errors.js";

/** An entry of an archive whose name cannot lead out of the root. */
export interface Entry {
  readonly type: "file" | "directory" | "symlink" | "link" | "fifo";
  /** A path without `.`, `..` and slashes at its ends. */
  readonly path: string;
  /** Of a symlink the text that the archive has; of a hard link a path such as `path`; else empty. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** The most bytes of a path. The kernel takes 4095, of which the path of the cache needs some. */
const LONGEST_PATH = 3000;
const LONGEST_NAME = 255;
/** The most bytes of a name in a header. A longer name takes an entry of its own. */
const HEADER_NAME = 99;

/**
 * Normalizes a name in an archive, so that it is a path below the root.
 *
 * @param what - How errors call the name.
 * @throws SandboxError `IMAGE_INVALID` for a name that leads out of the root, or that no file can have.
 */
export function plainPath(name: string, what = "entry"): string {
  const refuse = (why: string): Error => invalidImage(`${what} ${shown(name)}: ${why}`);
  if (name.startsWith("/")) throw refuse("is an absolute path");
  if (name.includes("\0")) throw refuse("holds a NUL byte");
  if (name.includes("\uFFFD")) throw refuse("is not UTF-8");
  if (Buffer.byteLength(name) > LONGEST_PATH) throw refuse("is longer than a path may be here");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw refuse("leads out of the image");
  if (parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME))
    throw refuse("holds a name that is longer than one can be");
  return parts.join("/");
}

/**
 * Writes the header of an entry in the form that every tar(1) reads: a long name is an entry of its own, as GNU tar writes
 * it. The owner is always root.
 */
export function encodeEntry(entry: Entry): Buffer[] {
  const isLink = entry.type === "link" || entry.type === "symlink";
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  // Fields are set one by one, since the constructor's own handling of them costs more than all the rest.
  const header = new Header();
  header.path = isLong(path) ? "long" : path;
  header.linkpath = isLong(entry.target) ? "long" : entry.target;
  header.type = TYPES[entry.type];
  header.mode = entry.mode;
  header.uid = 0;
  header.gid = 0;
  header.size = entry.size;
  header.mtime = new Date(Math.max(0, Math.floor(entry.mtime)) * 1000);
  header.encode();
  return [
    ...(isLong(path) ? longName(path, "NextFileHasLongPath") : []),
    ...(isLink && isLong(entry.target) ? longName(entry.target, "NextFileHasLongLinkpath") : []),
    header.block ?? Buffer.alloc(0),
  ];
}

const TYPES = {
  file: "File",
  directory: "Directory",
  symlink: "SymbolicLink",
  link: "Link",
  fifo: "FIFO",
} as const;

function isLong(name: string): boolean {
  return Buffer.byteLength(name) > HEADER_NAME;
}

function longName(name: string, type: "NextFileHasLongPath" | "NextFileHasLongLinkpath"): Buffer[] {
  const body = Buffer.from(`${name}\0`);
  const header = new Header({ path: "././@LongLink", type, mode: 0o644, size: body.length });
  header.encode();
  const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
  return [header.block ?? Buffer.alloc(0), body, padding];
}
