import { dirname } from "node:path";
import { invalidImage } from "../errors.js";
import { BLOCK, type Blocks, type Sink } from "./blocks.js";
import { checkedEntry, isId, pathBelow, type Rules } from "./checked-entry.js";
import { entriesOf } from "./entries.js";
import { type Entry, encodeEntry, plainPath } from "./entry.js";
import type { Header } from "./header.js";
import { shownName } from "./names.js";
import { newReport, type Report } from "./report.js";
import { alignedBody } from "./sparse.js";
import type { Totals } from "./totals.js";
import { partsOnly } from "./zeros.js";

/** Checks the entries of an archive that is written to it, and writes those that may be unpacked to a new archive. */
export interface Sanitizer extends Blocks {
  /** About the entries so far. */
  readonly report: Report;
}

/**
 * Makes a sanitizer. tar(1) never sees a header of the archive itself: one library reads each header, and a new header is
 * written from what it has read. Otherwise tar(1) might read a header in another way than the library, and unpack something
 * that was never checked.
 *
 * @param write - Called with parts of the new archive. It may keep the buffers.
 */
export function sanitizerFor(
  rules: Rules,
  totals: Totals,
  write: (bytes: Buffer) => void,
): Sanitizer {
  const report = newReport();
  const symlinks = symlinkGuard();
  const absent = absentTargets(rules, report);
  let atEnd: (() => void) | undefined;
  let count = 0;

  const capture = (header: Header): Sink => {
    const parts = capturedParts(header, rules, report);
    atEnd = () => report.capture(Buffer.concat(parts));
    return (bytes) => void parts.push(Buffer.from(bytes));
  };

  const pass = (entry: Entry): Sink => {
    symlinks.check(entry);
    for (let added = addDirectories(entry, report); added > 0; added -= 1) totals.addEntry();
    if (absent.takes(entry)) return undefined;
    const found =
      entry.type === "file" && entry.sparse === undefined
        ? rules.holesOf?.(count, entry.size)
        : undefined;
    const sparse = entry.sparse ?? found;
    const body = sparse === undefined ? undefined : alignedBody(sparse, write);
    const size = body?.size ?? entry.size;
    totals.addBytes(size - entry.size);
    for (const block of encodeEntry({ ...entry, size, sparse: body?.map })) write(block);
    if (size === 0) return undefined;
    atEnd = () => {
      body?.end();
      write(Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK));
    };
    return body !== undefined && found !== undefined
      ? partsOnly(found.parts, body.take)
      : (body?.take ?? write);
  };

  const blocks = entriesOf({
    entry(header, { capabilities, attributes }) {
      count += 1;
      totals.addEntry();
      const path = plainPath(header.path);
      if (path === rules.captured?.name) return capture(header);
      const inside = pathBelow(path, rules.below);
      if (inside === undefined) {
        if (path === (rules.below ?? "")) takeRoot(header, rules, report);
        return undefined;
      }
      if (capabilities) report.addChange("capabilities", inside);
      if (attributes) report.addChange("attributes", inside);
      const entry = checkedEntry(header, inside, rules, report);
      if (entry === undefined) absent.leaveOut(inside, header.type);
      return entry === undefined ? undefined : pass(entry);
    },
    entryEnd() {
      const done = atEnd;
      atEnd = undefined;
      done?.();
    },
  });
  return {
    report,
    write: blocks.write,
    skip: blocks.skip,
    end() {
      const hasEnd = blocks.end();
      if (!hasEnd && count > 0) report.addChange("noEnd", "");
      write(Buffer.alloc(2 * BLOCK));
      return hasEnd;
    },
  };
}

/** Starts to keep a file in memory. */
function capturedParts(header: Header, { captured }: Rules, report: Report): Buffer[] {
  const name = shownName(header.path);
  const most = captured?.most ?? 0;
  if (header.type !== "0") throw invalidImage(`entry ${name}: is no file`);
  if (header.sparse !== undefined) throw invalidImage(`entry ${name}: is a file with holes`);
  if (report.captured !== undefined) throw invalidImage(`entry ${name}: is there twice`);
  if (header.size > most)
    throw invalidImage(`${name} holds ${header.size} bytes, and ${most} is the most`);
  report.capture(Buffer.alloc(0));
  return [];
}

/** Takes the owner and mode of the root from its own entry. */
function takeRoot(header: Header, { privileged, modes }: Rules, report: Report): void {
  if (header.type !== "5") return;
  const mode = modes?.get("") ?? header.mode;
  report.setMode("", privileged ? mode : mode | 0o700);
  if (isId(header.uid) && isId(header.gid)) report.setOwner("", header.uid, header.gid);
}

/**
 * Knows which targets of hard links tar(1) will not find: files that are left out, and files of the lower layers.
 */
function absentTargets(
  { leftOut = new Set(), hasLower = false }: Rules,
  report: Report,
): { leaveOut(path: string, type: string): void; takes(entry: Entry): boolean } {
  const present = new Set<string>();
  return {
    leaveOut(path, type) {
      if (type === "3" || type === "4") leftOut.add(path);
    },
    takes({ type, path, target }) {
      const isLink = type === "link";
      if (isLink && leftOut.has(target) && !present.has(target)) {
        report.addChange("devices", path);
        leftOut.add(path);
        return true;
      }
      leftOut.delete(path);
      report.removeLink(path);
      if (isLink && hasLower && !present.has(target)) {
        report.addLink(path, target);
        return true;
      }
      if (hasLower && type !== "directory") present.add(path);
      return false;
    },
  };
}

/**
 * Refuses entries below a symlink of the same archive, through which tar(1) could write to another directory. A name that
 * was a symlink once counts as one until the end: a later entry of that name may not have replaced it, since tar(1) goes on
 * when an entry fails.
 */
function symlinkGuard(): { check(entry: Entry): void } {
  const symlinks = new Set<string>();
  // The directory of the last entry, above which there is no symlink, so that its files are not all checked up to the
  // root.
  let checked = "";
  const refuseBelowSymlink = (path: string, name: string): void => {
    if (symlinks.size === 0) return;
    for (let above = dirname(path); above !== "." && above !== checked; above = dirname(above)) {
      if (symlinks.has(above))
        throw invalidImage(
          `entry ${shownName(name)}: lies below ${shownName(above)}, which the image makes a symlink`,
        );
    }
  };
  return {
    check({ type, path, target }) {
      refuseBelowSymlink(path, path);
      checked = dirname(path);
      if (type === "link") refuseBelowSymlink(target, path);
      // A hard link to a symlink is a symlink, too.
      if (type === "symlink" || (type === "link" && symlinks.has(target))) {
        symlinks.add(path);
        checked = "";
      }
    },
  };
}

/** Records which directories have an entry, and which only lie above one. @returns how many of the latter are new. */
function addDirectories(
  { type, path }: Entry,
  { directories, impliedDirectories }: Report,
): number {
  if (type === "directory") {
    directories.add(path);
    impliedDirectories.delete(path);
  } else directories.delete(path);
  let added = 0;
  for (let above = dirname(path); above !== "."; above = dirname(above)) {
    if (directories.has(above) || impliedDirectories.has(above)) break;
    impliedDirectories.add(above);
    added += 1;
  }
  return added;
}
