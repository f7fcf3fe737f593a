import { invalidImage } from "../errors.js";
import { LAST_ID } from "../image.js";
import { type Entry, plainPath } from "./entry.js";
import type { Header } from "./header.js";
import { shownName } from "./names.js";
import type { Report } from "./report.js";
import type { SparseMap } from "./sparse.js";

/** Which entries of an archive are unpacked, and how. */
export interface Rules {
  /** The directory of the archive that becomes the root. An entry elsewhere is refused. Default: the whole archive. */
  readonly below?: string;
  /**
   * A file beside that directory that is kept in memory instead of being unpacked, and the most bytes that it may have.
   */
  readonly captured?: { readonly name: string; readonly most: number };
  /** Whether an entry named `.wh.NAME` removes NAME from the lower layers. Default: no. */
  readonly whiteouts?: boolean;
  /**
   * Whether the caller may do everything with every file. For another caller, files get a mode with which their owner can
   * read them.
   */
  readonly privileged: boolean;
  /** Whether there are lower layers, of which hard links may have their targets. */
  readonly hasLower?: boolean;
  /** Collects the paths that are left out, over all layers: a hard link to one is left out, too. */
  readonly leftOut?: Set<string>;
  /**
   * The holes of a file that the archive has with its zeros, by its place among the entries, from 1 on. Undefined: none.
   */
  readonly holesOf?: (place: number, size: number) => SparseMap | undefined;
  /** Modes that take the place of those in the archive, by path. */
  readonly modes?: ReadonlyMap<string, number>;
}

/**
 * Gives the path of an entry below a directory of the archive.
 *
 * @returns undefined for that directory itself, and for the top of the archive.
 * @throws SandboxError `IMAGE_INVALID` for a path that lies elsewhere.
 */
export function pathBelow(path: string, directory: string | undefined): string | undefined {
  if (path === "") return undefined;
  if (directory === undefined) return path;
  if (path === directory) return undefined;
  if (path.startsWith(`${directory}/`)) return path.slice(directory.length + 1);
  throw invalidImage(`entry ${shownName(path)}: lies outside of ${shownName(directory)}`);
}

const SET_ID = 0o6000;

/**
 * Turns a header into an entry that may be unpacked. What is left out is added to the report.
 *
 * @param path - As {@link pathBelow}.
 * @returns undefined for an entry that is not unpacked: a device node or a whiteout.
 * @throws SandboxError `IMAGE_INVALID`
 */
export function checkedEntry(
  header: Header,
  path: string,
  rules: Rules,
  report: Report,
): Entry | undefined {
  const { type: key, path: name, size, mtime, sparse } = header;
  if (rules.whiteouts && addWhiteout(path, report)) return undefined;
  if (key === "3" || key === "4") {
    report.addChange("devices", path);
    return undefined;
  }
  if (key === "M" || key === "N")
    throw invalidImage(`entry ${shownName(name)}: is a part of an archive of several volumes`);
  const type = TYPES[key] ?? "file";
  if (TYPES[key] === undefined) report.addChange("types", path);
  const mode = rules.modes?.get(path) ?? header.mode;
  if (type === "file" && (mode & SET_ID) !== 0) report.addChange("setId", path);
  const isOwned = isId(header.uid) && isId(header.gid);
  if (!isOwned) report.addChange("owners", path);
  const [uid, gid] = isOwned ? [header.uid, header.gid] : [0, 0];
  if (type !== "link") report.setOwner(path, uid, gid);
  if (type === "directory") report.setMode(path, rules.privileged ? mode : mode | OWNERS);
  return {
    type,
    path,
    target: targetOf(type, header.linkpath, name, rules.below),
    mode: modeOf(type, mode, rules.privileged),
    uid,
    gid,
    size: type === "file" ? size : 0,
    sparse: type === "file" ? sparse : undefined,
    mtime,
  };
}

/** The types of entries that are unpacked. As tar(1) does, every other one is taken for a file. */
const TYPES: Partial<Record<string, Entry["type"]>> = {
  "0": "file",
  "1": "link",
  "2": "symlink",
  "5": "directory",
  "6": "fifo",
};

const WHITEOUT = ".wh.";

/** Adds a whiteout to the report. @returns whether the path is one. */
function addWhiteout(path: string, report: Report): boolean {
  const start = path.lastIndexOf("/") + 1;
  if (!path.startsWith(WHITEOUT, start)) return false;
  const directory = path.slice(0, Math.max(0, start - 1));
  const name = path.slice(start + WHITEOUT.length);
  if (name === ".wh..opq") report.addWhiteout({ opaque: true, path: directory });
  else if (name.startsWith(WHITEOUT))
    return true; // Such a name is reserved by aufs, and has no meaning here.
  else if (name === "" || name === "." || name === "..")
    throw invalidImage(`entry ${shownName(path)}: takes away nothing that a layer can hold`);
  else
    report.addWhiteout({ opaque: false, path: directory === "" ? name : `${directory}/${name}` });
  return true;
}

/** Whether a number can be the id of a user or group. */
export function isId(id: number): boolean {
  return id >= 0 && id <= LAST_ID;
}

function targetOf(
  type: Entry["type"],
  target: string,
  name: string,
  directory: string | undefined,
): string {
  if (type !== "link" && type !== "symlink") return "";
  if (target === "") throw invalidImage(`entry ${shownName(name)}: links to nothing`);
  if (type === "link") {
    const path = pathBelow(plainPath(target, `entry ${shownName(name)}: its target`), directory);
    if (path !== undefined) return path;
    throw invalidImage(`entry ${shownName(name)}: links to a directory`);
  }
  if (target.includes("\0"))
    throw invalidImage(`entry ${shownName(name)}: its target holds a NUL byte`);
  if (target.length > 4095)
    throw invalidImage(`entry ${shownName(name)}: its target is longer than a path can be`);
  return target;
}

/** The mode of its owner with which a directory can be filled. Its own mode is set at the end. */
const OWNERS = 0o700;

function modeOf(type: Entry["type"], mode: number, privileged: boolean): number {
  if (type === "directory") return mode | OWNERS;
  return (mode & ~SET_ID) | (privileged ? 0 : 0o400);
}
