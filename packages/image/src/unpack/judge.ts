import type { Header } from "tar/header";
import { invalidImage, shown } from "../invalid.js";
import type { Blocks, Sink } from "./blocks.js";
import { entriesOf } from "./entries.js";
import { checkedId, type Entry, encodeEntry, plainPath } from "./entry.js";
import { type Findings, findings } from "./findings.js";
import { placesOf } from "./places.js";
import type { Totals } from "./totals.js";

/** What is to be unpacked of an archive, and how. */
export interface Terms {
  /** Only what lies below this directory of the archive, which is left out of the names; else everything. */
  readonly below?: string;
  /** A file beside that directory, which is kept in memory and not unpacked, and the most that it may hold in bytes. */
  readonly captured?: { readonly name: string; readonly most: number };
  /** Whether `.wh.` names take away what lower layers hold. */
  readonly whiteouts: boolean;
  /** Whether the caller can use every id and every file; else modes are widened so far that the owner can. */
  readonly privileged: boolean;
}

/** Judges an archive while it goes by, and writes anew what may be unpacked. */
export interface Judge extends Blocks {
  /** What has been found so far, and is to be done when the archive is unpacked. */
  readonly findings: Findings;
}

const END = [Buffer.alloc(1024)];

/**
 * tar(1) never sees a byte of a header that an archive holds: each is read by one library and written anew from what
 * was read, so that there are no two readings of it, one judged and one unpacked.
 *
 * @param write - Given the archive to unpack, piece by piece. The bytes may be kept.
 */
export function judgeOf(terms: Terms, totals: Totals, write: (bytes: Buffer) => void): Judge {
  const found = findings();
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
    pending = () => found.capture(Buffer.concat(parts));
    return (bytes) => void parts.push(Buffer.from(bytes));
  };

  const pass = (entry: Entry): Sink => {
    for (let added = places.add(entry, found); added > 0; added -= 1) totals.addEntry();
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
      if (powers) found.note("powers", inside);
      if (attributes) found.note("attributes", inside);
      const entry = entryOf(header, inside, terms, found);
      return entry === undefined ? undefined : pass(entry);
    },
    entryEnd() {
      const done = pending;
      pending = undefined;
      done?.();
    },
  });
  return {
    findings: found,
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

function entryOf(header: Header, path: string, terms: Terms, found: Findings): Entry | undefined {
  const key = header.typeKey;
  const name = header.path ?? "";
  if (terms.whiteouts && whiteout(path, found)) return undefined;
  if (key === "3" || key === "4") {
    found.note("devices", path);
    return undefined;
  }
  const type = typeOf(key);
  if (type === undefined)
    throw invalidImage(`entry ${shown(name)}: is of a type that is not known, ${shown(key)}`);
  const mode = (header.mode ?? 0o644) & 0o7777;
  if (type === "file" && (mode & SET_ID) !== 0) found.note("setId", path);
  const uid = checkedId(header.uid ?? 0, name);
  const gid = checkedId(header.gid ?? 0, name);
  if (type !== "link") found.own(path, uid, gid);
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

/** The names that say what is gone of lower layers, of the image specification of OCI. */
function whiteout(path: string, found: Findings): boolean {
  const at = path.lastIndexOf("/") + 1;
  if (!path.startsWith(MARK, at)) return false;
  const directory = path.slice(0, Math.max(0, at - 1));
  const name = path.slice(at + MARK.length);
  if (name === ".wh..opq") found.hide({ opaque: true, path: directory });
  else if (name.startsWith(MARK))
    return true; // What aufs keeps for itself.
  else if (name === "" || name === "." || name === "..")
    throw invalidImage(`entry ${shown(path)}: takes away nothing that a layer can hold`);
  else found.hide({ opaque: false, path: directory === "" ? name : `${directory}/${name}` });
  return true;
}
