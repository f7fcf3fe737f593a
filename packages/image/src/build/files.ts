import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { changed, invalidImage, shown } from "../errors.js";
import { type Entry, plainPath } from "../unpack/entry.js";
import { nameOf } from "../unpack/names.js";
import { type Inode, isInode } from "../unpack/source.js";

/** An entry of an archive to write, and the file from which its bytes are read. */
export interface FileEntry {
  readonly entry: Entry;
  /** Undefined for an entry without bytes. */
  readonly from?: string;
  /** Which file that was when it was found. */
  readonly inode?: Inode;
}

/** Which entries are made of a directory. */
interface FilesOptions {
  /** The directory of the archive in which the files are to be, such as `rootfs`. Default: its top. */
  readonly prefix?: string;
  /** Files that are left out, by their real paths. */
  readonly exclude?: ReadonlySet<string>;
  /** Called with the path of each device and socket, which no image can carry. */
  readonly onLeftOut?: ((path: string) => void) | undefined;
}

/**
 * Makes entries of the files in a directory. The entries are sorted by the bytes of their names, belong to root and are
 * from 1970, so that the same files give the same archive everywhere and at any time.
 *
 * @throws SandboxError `IMAGE_INVALID` for a file that no archive can hold.
 */
export function entriesOf(
  directory: string,
  { prefix = "", exclude = new Set(), onLeftOut }: FilesOptions = {},
): FileEntry[] {
  const top = realpathSync.native(directory);
  const stat = lstatSync(top);
  const found: FileEntry[] = prefix === "" ? [] : [directoryEntry(prefix, stat)];
  walk(top, stat, prefix, { links: new Map(), exclude, found, onLeftOut });
  return found;
}

interface Walk {
  readonly exclude: ReadonlySet<string>;
  /** The first name of each file that may have several names, by its inode. */
  readonly links: Map<string, string>;
  readonly found: FileEntry[];
  readonly onLeftOut: FilesOptions["onLeftOut"];
}

function walk(directory: string, inode: Inode, prefix: string, state: Walk): void {
  const { links, exclude, found } = state;
  for (const { name, stat, target } of filesOf(directory, inode)) {
    const from = join(directory, name);
    if (exclude.has(from)) continue;
    const path = plainPath(prefix === "" ? nameOf(name) : `${prefix}/${nameOf(name)}`);
    if (name.includes("\uFFFD")) throw invalidImage(`entry ${shown(path)}: is not UTF-8`);
    if (stat.isDirectory()) {
      found.push(directoryEntry(path, stat));
      walk(from, stat, path, state);
    } else if (isDevice(stat)) {
      state.onLeftOut?.(from);
    } else {
      found.push(entryOf(from, path, { stat, target }, links));
    }
  }
}

interface File {
  readonly name: string;
  readonly stat: Stats;
  /** Of a symlink. */
  readonly target?: Buffer | undefined;
}

/**
 * Lists a directory, which must be the one that was found: whoever can write to the one above could put a symlink in its
 * place, and files of the host would become a part of the image.
 */
function filesOf(directory: string, inode: Inode): File[] {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (!isInode(fstatSync(fd), inode)) throw changed(directory);
    const at = process.platform === "linux" ? `/proc/self/fd/${fd}` : directory;
    return readdirSync(at)
      .sort(byBytes)
      .map((name) => fileAt(at, name));
  } finally {
    closeSync(fd);
  }
}

function fileAt(directory: string, name: string): File {
  const path = join(directory, name);
  const stat = lstatSync(path);
  if (!stat.isSymbolicLink()) return { name, stat };
  return { name, stat, target: readlinkSync(path, { encoding: "buffer" }) };
}

/** Whether it is a device or a socket. Readers of images leave devices out as well, and archives have no sockets. */
function isDevice(stat: Stats): boolean {
  return stat.isCharacterDevice() || stat.isBlockDevice() || stat.isSocket();
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const COMMON = { target: "", uid: 0, gid: 0, size: 0, mtime: 0 } as const;

function directoryEntry(path: string, { mode }: Stats): FileEntry {
  return { entry: { ...COMMON, type: "directory", path, mode: mode & 0o7777 } };
}

function entryOf(
  from: string,
  path: string,
  { stat, target }: Omit<File, "name">,
  links: Map<string, string>,
): FileEntry {
  const mode = stat.mode & 0o7777;
  if (target !== undefined)
    return {
      entry: { ...COMMON, type: "symlink", path, mode: 0o777, target: nameOf(text(target, from)) },
    };
  if (stat.isFIFO()) return { entry: { ...COMMON, type: "fifo", path, mode } };
  const inode = `${stat.dev}:${stat.ino}`;
  const first = links.get(inode);
  if (stat.nlink > 1 && first !== undefined)
    return { entry: { ...COMMON, type: "link", path, mode, target: first } };
  links.set(inode, path);
  const { size } = stat;
  return { entry: { ...COMMON, type: "file", path, mode, size }, from, inode: stat };
}

function text(target: Buffer, link: string): string {
  const decoded = target.toString();
  if (Buffer.from(decoded).equals(target)) return decoded;
  throw invalidImage(`${shown(link)} leads to a name that is not UTF-8, which no image can carry`);
}
