import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { join } from "node:path";
import { invalidImage, shown } from "../invalid.js";
import { type Entry, plainPath } from "../unpack/entry.js";

/** An entry of an archive to write, and the file that it is made of. */
export interface Written {
  readonly entry: Entry;
  /** Where its bytes are; undefined where there are none. */
  readonly from?: string;
}

/**
 * The files of a directory as entries: names in the order of their bytes, every one of them root's and from 1970, so that
 * the same files make the same archive wherever and whenever.
 *
 * @param options - `prefix`: the directory of the archive in which they are, such as `rootfs`; empty for none. `without`:
 * files that are left out, by their real paths.
 * @throws SandboxError `IMAGE_INVALID` for what no archive can carry.
 */
export function entriesOf(
  directory: string,
  { prefix = "", without = new Set() }: TreeOptions = {},
): Written[] {
  const found: Written[] = prefix === "" ? [] : [directoryEntry(prefix, lstatSync(directory))];
  walk(realpathSync.native(directory), prefix, { links: new Map(), without, found });
  return found;
}

interface TreeOptions {
  readonly prefix?: string;
  readonly without?: ReadonlySet<string>;
}

interface Walk extends Required<Pick<TreeOptions, "without">> {
  /** The first name of each file that has several, by its inode. */
  readonly links: Map<string, string>;
  readonly found: Written[];
}

function walk(directory: string, prefix: string, state: Walk): void {
  const { links, without, found } = state;
  for (const name of readdirSync(directory).sort(byBytes)) {
    const from = join(directory, name);
    if (without.has(from)) continue;
    const path = plainPath(prefix === "" ? name : `${prefix}/${name}`);
    const stat = lstatSync(from);
    if (stat.isDirectory()) {
      found.push(directoryEntry(path, stat));
      walk(from, path, state);
    } else {
      found.push(entryOf(from, path, stat, links));
    }
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const COMMON = { target: "", uid: 0, gid: 0, size: 0, mtime: 0 } as const;

function directoryEntry(path: string, { mode }: Stats): Written {
  return { entry: { ...COMMON, type: "directory", path, mode: mode & 0o7777 } };
}

function entryOf(from: string, path: string, stat: Stats, links: Map<string, string>): Written {
  const mode = stat.mode & 0o7777;
  if (stat.isSymbolicLink())
    return { entry: { ...COMMON, type: "symlink", path, mode: 0o777, target: targetOf(from) } };
  if (stat.isFIFO()) return { entry: { ...COMMON, type: "fifo", path, mode } };
  if (!stat.isFile())
    throw invalidImage(`${shown(from)} is a device or a socket, which no image can carry`);
  const inode = `${stat.dev}:${stat.ino}`;
  const first = links.get(inode);
  if (stat.nlink > 1 && first !== undefined)
    return { entry: { ...COMMON, type: "link", path, mode, target: first } };
  links.set(inode, path);
  return { entry: { ...COMMON, type: "file", path, mode, size: stat.size }, from };
}

function targetOf(link: string): string {
  const bytes = readlinkSync(link, { encoding: "buffer" });
  const target = bytes.toString();
  if (Buffer.from(target).equals(bytes)) return target;
  throw invalidImage(`${shown(link)} leads to a name that is not UTF-8, which no image can carry`);
}
