import { dirname } from "node:path";
import type { Header } from "tar/header";
import { invalidImage, shown } from "../errors.js";
import type { Blocks, Sink } from "./blocks.js";
import { checkedEntry, isFile, pathBelow, type Rules } from "./checked-entry.js";
import { entriesOf } from "./entries.js";
import { type Entry, encodeEntry, plainPath } from "./entry.js";
import { newReport, type Report } from "./report.js";
import type { Totals } from "./totals.js";

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
  let atEnd: (() => void) | undefined;
  let isCaptured = false;

  const capture = (header: Header): Sink => {
    const name = shown(header.path ?? "");
    const [size, most] = [header.size ?? 0, rules.captured?.most ?? 0];
    if (!isFile(header.typeKey)) throw invalidImage(`entry ${name}: is no file`);
    if (isCaptured) throw invalidImage(`entry ${name}: is there twice`);
    isCaptured = true;
    if (size > most) throw invalidImage(`${name} holds ${size} bytes, and ${most} is the most`);
    const parts: Buffer[] = [];
    atEnd = () => report.capture(Buffer.concat(parts));
    return (bytes) => void parts.push(Buffer.from(bytes));
  };

  const pass = (entry: Entry): Sink => {
    symlinks.check(entry);
    for (let added = addDirectories(entry, report); added > 0; added -= 1) totals.addEntry();
    for (const block of encodeEntry(entry)) write(block);
    if (entry.size === 0) return undefined;
    atEnd = () => write(Buffer.alloc((BLOCK - (entry.size % BLOCK)) % BLOCK));
    return write;
  };

  const blocks = entriesOf({
    entry(header, { capabilities, attributes }) {
      totals.addEntry();
      const path = plainPath(header.path ?? "");
      if (path === rules.captured?.name) return capture(header);
      const inside = pathBelow(path, rules.below);
      if (inside === undefined) return undefined;
      if (capabilities) report.addChange("capabilities", inside);
      if (attributes) report.addChange("attributes", inside);
      const entry = checkedEntry(header, inside, rules, report);
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
      blocks.end();
      write(Buffer.alloc(2 * BLOCK));
    },
  };
}

const BLOCK = 512;

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
          `entry ${shown(name)}: lies below ${shown(above)}, which the image makes a symlink`,
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
