import { Header } from "tar/header";
import { LAST_ID } from "../ids.js";
import { invalidImage, shown } from "../invalid.js";

/** An entry of an archive. Its name cannot lead out of the root. */
export interface Entry {
  readonly type: "file" | "directory" | "symlink" | "link" | "fifo";
  /** Without a slash at either end, `.` or `..`. */
  readonly path: string;
  /** Of a symlink whatever the archive says; of a hard link a path as `path`. */
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** The kernel takes 4095 bytes, of which the path of the cache needs some. */
const LONGEST_PATH = 3000;
const LONGEST_NAME = 255;
/** A longer name needs an extension of the header. */
const PLAIN_NAME = 99;

/**
 * Normalizes a name, so that it cannot lead out of a directory.
 *
 * @throws SandboxError `IMAGE_INVALID`
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

/** Checks an id. @throws SandboxError `IMAGE_INVALID` */
export function checkedId(id: number | undefined, name: string): number {
  if (id !== undefined && Number.isInteger(id) && id >= 0 && id <= LAST_ID) return id;
  throw invalidImage(`entry ${shown(name)}: has an owner that is no user`);
}

/** The header of an entry, in the form that every tar(1) reads: a long name is an extra entry, as GNU tar writes it. */
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
  return Buffer.byteLength(name) > PLAIN_NAME;
}

function longName(name: string, type: "NextFileHasLongPath" | "NextFileHasLongLinkpath"): Buffer[] {
  const body = Buffer.from(`${name}\0`);
  const header = new Header({ path: "././@LongLink", type, mode: 0o644, size: body.length });
  header.encode();
  const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
  return [header.block ?? Buffer.alloc(0), body, padding];
}
