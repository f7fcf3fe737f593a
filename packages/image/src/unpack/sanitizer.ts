import type { Header } from "tar/header";
import { invalidImage, shown } from "../invalid.js";
import type { Blocks, Sink } from "./blocks.js";
import { entriesOf } from "./entries.js";
import { checkedId, type Entry, encodeEntry, plainPath } from "./entry.js";
import { placesOf } from "./places.js";
import { newReport, type Report } from "./report.js";
import type { Totals } from "./totals.js";

/** Which entries of an archive are unpacked, and how. */
export interface Terms {
  /** The directory of the archive that becomes the root: an entry elsewhere is refused. Default: the whole archive. */
  readonly below?: string;
  /** A file beside that directory that is kept in memory instead of being unpacked, and its largest size in bytes. */
  readonly captured?: { readonly name: string; readonly most: number };
  /** Whether an entry named `.wh.NAME` removes NAME of a lower layer. Default: no. */
  readonly whiteouts?: boolean;
  /** Whether the caller is root. For another caller each mode is widened so that its owner can read what is there. */
  readonly privileged: boolean;
}

/** Checks the entries of an archive that is written to it, and writes those that may be unpacked to a new archive. */
export interface Sanitizer extends Blocks {
  /** About the entries so far. */
  readonly report: Report;
}

const END = [Buffer.alloc(1024)];

/**
 * tar(1) never sees a header of the archive itself: each is read by one library and written anew from what was read.
 * Otherwise that library and tar(1) might read one header in two ways, and tar(1) unpack what was never checked.
 *
 * @param write - Called with the new archive, piece by piece. It may keep the bytes.
 */
export function sanitizerFor(
  terms: Terms,
  totals: Totals,
  write: (bytes: Buffer) => void,
): Sanitizer {
  const report = newReport();
  const places = placesOf();
  let pending: (() => void) | undefined;
  let captured = false;

  const capture = (header: Header): Sink => {
    const name = shown(header.path ?? "");
    const [size, most] = [header.size ?? 0, terms.captured?.most ?? 0];
    if (!isFile(header.typeKey)) throw invalidImage(`entry ${name}: is no file`);
    if (captured) throw invalidImage(`entry ${name}: is there twice`);
    captured = true;
    if (size > most) throw invalidImage(`${name} holds ${size} bytes, and ${most} is the most`);
    const parts: Buffer[] = [];
    pending = () => report.capture(Buffer.concat(parts));
    return (bytes) => void parts.push(Buffer.from(bytes));
  };

  const pass = (entry: Entry): Sink => {
    for (let added = places.add(entry, report); added > 0; added -= 1) totals.addEntry();
    for (const block of encodeEntry(entry)) write(block);
    if (entry.size === 0) return undefined;
    pending = () => write(Buffer.alloc((512 - (entry.size % 512)) % 512));
    return write;
  };

  const blocks = entriesOf({
    entry(header, { powers, attributes }) {
      totals.addEntry();
      const name = header.path ?? "";
      const path = plainPath(name);
      if (path === terms.captured?.name) return capture(header);
      const inside = placeBelow(path, terms.below);
      if (inside === undefined) return undefined;
      if (powers) report.note("powers", inside);
      if (attributes) report.note("attributes", inside);
      const entry = entryOf(header, inside, terms, report);
      return entry === undefined ? undefined : pass(entry);
    },
    entryEnd() {
      const done = pending;
      pending = undefined;
      done?.();
    },
  });
  return {
    report,
    write: blocks.write,
    skip: blocks.skip,
    end() {
      blocks.end();
      for (const block of END) write(block);
    },
  };
}

function isFile(key: string): boolean {
  return key === "0" || key === "" || key === "\0" || key === "7";
}

/** The path below a directory of the archive; undefined for that directory itself and those above it. */
function placeBelow(path: string, below: string | undefined): string | undefined {
  if (path === "") return undefined;
  if (below === undefined) return path;
  if (path === below) return undefined;
  if (path.startsWith(`${below}/`)) return path.slice(below.length + 1);
  throw invalidImage(`entry ${shown(path)}: lies outside of ${shown(below)}`);
}

const SET_ID = 0o6000;

function entryOf(header: Header, path: string, terms: Terms, report: Report): Entry | undefined {
  const key = header.typeKey;
  const name = header.path ?? "";
  if (terms.whiteouts && whiteout(path, report)) return undefined;
  if (key === "3" || key === "4") {
    report.note("devices", path);
    return undefined;
  }
  const type = typeOf(key);
  if (type === undefined)
    throw invalidImage(`entry ${shown(name)}: is of a type that is not known, ${shown(key)}`);
  const mode = (header.mode ?? 0o644) & 0o7777;
  if (type === "file" && (mode & SET_ID) !== 0) report.note("setId", path);
  const uid = checkedId(header.uid ?? 0, name);
  const gid = checkedId(header.gid ?? 0, name);
  if (type !== "link") report.own(path, uid, gid);
  const size = type === "file" ? (header.size ?? 0) : 0;
  if (size === 0 && (header.size ?? 0) > 0 && type !== "directory")
    throw invalidImage(`entry ${shown(name)}: has a body, and is no file`);
  return {
    type,
    path,
    target: targetOf(type, header.linkpath ?? "", name, terms.below),
    mode: modeOf(type, mode, terms.privileged),
    uid,
    gid,
    size,
    mtime: (header.mtime?.getTime() ?? 0) / 1000,
  };
}

function typeOf(key: string): Entry["type"] | undefined {
  if (isFile(key)) return "file";
  if (key === "1") return "link";
  if (key === "2") return "symlink";
  if (key === "5") return "directory";
  return key === "6" ? "fifo" : undefined;
}

function modeOf(type: Entry["type"], mode: number, privileged: boolean): number {
  if (type === "directory") return privileged ? mode : mode | 0o700;
  return (mode & ~SET_ID) | (privileged ? 0 : 0o400);
}

function targetOf(
  type: Entry["type"],
  target: string,
  name: string,
  below: string | undefined,
): string {
  if (type !== "link" && type !== "symlink") return "";
  if (target === "") throw invalidImage(`entry ${shown(name)}: links to nothing`);
  if (type === "link") {
    const path = placeBelow(plainPath(target, `entry ${shown(name)}: its target`), below);
    if (path !== undefined) return path;
    throw invalidImage(`entry ${shown(name)}: links to a directory`);
  }
  if (target.includes("\uFFFD"))
    throw invalidImage(`entry ${shown(name)}: its target is not UTF-8`);
  if (Buffer.byteLength(target) > 4095)
    throw invalidImage(`entry ${shown(name)}: its target is longer than a path can be`);
  return target;
}

const MARK = ".wh.";

/** Takes note of a whiteout of the OCI image specification. @returns whether the path is one. */
function whiteout(path: string, report: Report): boolean {
  const at = path.lastIndexOf("/") + 1;
  if (!path.startsWith(MARK, at)) return false;
  const directory = path.slice(0, Math.max(0, at - 1));
  const name = path.slice(at + MARK.length);
  if (name === ".wh..opq") report.hide({ opaque: true, path: directory });
  else if (name.startsWith(MARK))
    return true; // Names that aufs reserves for itself.
  else if (name === "" || name === "." || name === "..")
    throw invalidImage(`entry ${shown(path)}: takes away nothing that a layer can hold`);
  else report.hide({ opaque: false, path: directory === "" ? name : `${directory}/${name}` });
  return true;
}
