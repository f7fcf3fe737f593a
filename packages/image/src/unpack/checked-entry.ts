import type { Header } from "tar/header";
import { invalidImage, shown } from "../errors.js";
import { LAST_ID } from "../image.js";
import { type Entry, plainPath } from "./entry.js";
import type { Report } from "./report.js";

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
  /** Whether the caller is root. For another caller, files get a mode with which their owner can read them. */
  readonly privileged: boolean;
}

/** Whether a type in a header means a regular file. */
export function isFile(key: string): boolean {
  return key === "0" || key === "" || key === "\0" || key === "7";
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
  throw invalidImage(`entry ${shown(path)}: lies outside of ${shown(directory)}`);
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
  const key = header.typeKey;
  const name = header.path ?? "";
  if (rules.whiteouts && addWhiteout(path, report)) return undefined;
  if (key === "3" || key === "4") {
    report.addChange("devices", path);
    return undefined;
  }
  const type = typeOf(key);
  if (type === undefined)
    throw invalidImage(`entry ${shown(name)}: is of a type that is not known, ${shown(key)}`);
  const mode = (header.mode ?? 0o644) & 0o7777;
  if (type === "file" && (mode & SET_ID) !== 0) report.addChange("setId", path);
  const uid = checkedId(header.uid ?? 0, name);
  const gid = checkedId(header.gid ?? 0, name);
  if (type !== "link") report.setOwner(path, uid, gid);
  const size = type === "file" ? (header.size ?? 0) : 0;
  if (size === 0 && (header.size ?? 0) > 0 && type !== "directory")
    throw invalidImage(`entry ${shown(name)}: has a body, and is no file`);
  return {
    type,
    path,
    target: targetOf(type, header.linkpath ?? "", name, rules.below),
    mode: modeOf(type, mode, rules.privileged),
    uid,
    gid,
    size,
    mtime: (header.mtime?.getTime() ?? 0) / 1000,
  };
}

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
    throw invalidImage(`entry ${shown(path)}: takes away nothing that a layer can hold`);
  else
    report.addWhiteout({ opaque: false, path: directory === "" ? name : `${directory}/${name}` });
  return true;
}

function typeOf(key: string): Entry["type"] | undefined {
  if (isFile(key)) return "file";
  if (key === "1") return "link";
  if (key === "2") return "symlink";
  if (key === "5") return "directory";
  return key === "6" ? "fifo" : undefined;
}

function checkedId(id: number | undefined, name: string): number {
  if (id !== undefined && Number.isInteger(id) && id >= 0 && id <= LAST_ID) return id;
  throw invalidImage(`entry ${shown(name)}: has an owner that is no user`);
}

function targetOf(
  type: Entry["type"],
  target: string,
  name: string,
  directory: string | undefined,
): string {
  if (type !== "link" && type !== "symlink") return "";
  if (target === "") throw invalidImage(`entry ${shown(name)}: links to nothing`);
  if (type === "link") {
    const path = pathBelow(plainPath(target, `entry ${shown(name)}: its target`), directory);
    if (path !== undefined) return path;
    throw invalidImage(`entry ${shown(name)}: links to a directory`);
  }
  if (target.includes("\uFFFD"))
    throw invalidImage(`entry ${shown(name)}: its target is not UTF-8`);
  if (Buffer.byteLength(target) > 4095)
    throw invalidImage(`entry ${shown(name)}: its target is longer than a path can be`);
  return target;
}

function modeOf(type: Entry["type"], mode: number, privileged: boolean): number {
  if (type === "directory") return privileged ? mode : mode | 0o700;
  return (mode & ~SET_ID) | (privileged ? 0 : 0o400);
}
