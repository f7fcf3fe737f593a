import { shownName } from "./names.js";

/**
 * How what is unpacked differs from an archive: entries and attributes that are left out. `types` are entries of unknown
 * types, `owners` those whose owners do not exist here. `noEnd` means that the archive has no end mark, and `unconfined`
 * that tar(1) was not kept from writing to other directories.
 */
export type Change =
  | "devices"
  | "setId"
  | "capabilities"
  | "attributes"
  | "types"
  | "noEnd"
  | "owners"
  | "unconfined";

/**
 * A whiteout of the OCI image specification: it removes a file of the lower layers, or everything in an opaque
 * directory.
 */
export interface Whiteout {
  readonly opaque: boolean;
  readonly path: string;
}

/** What the sanitizer has found in an archive: what is left to do when tar(1) has ended, and what users are told. */
export interface Report {
  addChange(change: Change, path: string): void;
  setOwner(path: string, uid: number, gid: number): void;
  /** Sets the mode that a directory has in the end, or the root if the path is empty. */
  setMode(path: string, mode: number): void;
  /** Adds a hard link to a file of the lower layers. */
  addLink(path: string, target: string): void;
  /** Takes note that an entry has been replaced by one that is left out or unpacked in another way. */
  removeLink(path: string): void;
  addWhiteout(whiteout: Whiteout): void;
  capture(bytes: Buffer): void;
  readonly changes: ReadonlyMap<Change, { readonly count: number; readonly first: string }>;
  /** The owners of entries that do not belong to root. When two entries have the same path, the last one counts. */
  readonly owners: ReadonlyMap<string, { readonly uid: number; readonly gid: number }>;
  /** The modes that directories have in the end. The empty path is the root. */
  readonly modes: ReadonlyMap<string, number>;
  /** Hard links to files of the lower layers, with their targets. */
  readonly links: ReadonlyMap<string, string>;
  readonly whiteouts: readonly Whiteout[];
  /** The directories that have an entry of their own. */
  readonly directories: Set<string>;
  /** The directories that have no entry of their own, and only lie above other entries. */
  readonly impliedDirectories: Set<string>;
  /** The content of the file that was to be kept in memory; undefined while it has not been found. */
  readonly captured: Buffer | undefined;
}

/** Makes an empty report. */
export function newReport(): Report {
  const changes = new Map<Change, { count: number; first: string }>();
  const owners = new Map<string, { uid: number; gid: number }>();
  const modes = new Map<string, number>();
  const links = new Map<string, string>();
  const whiteouts: Whiteout[] = [];
  let captured: Buffer | undefined;
  return {
    addChange(change, path) {
      const known = changes.get(change);
      if (known === undefined) changes.set(change, { count: 1, first: path });
      else known.count += 1;
    },
    setOwner(path, uid, gid) {
      if (uid === 0 && gid === 0) owners.delete(path);
      else owners.set(path, { uid, gid });
    },
    setMode: (path, mode) => void modes.set(path, mode),
    addLink: (path, target) => void links.set(path, links.get(target) ?? target),
    removeLink: (path) => void links.delete(path),
    addWhiteout: (whiteout) => void whiteouts.push(whiteout),
    capture(bytes) {
      captured = bytes;
    },
    changes,
    owners,
    modes,
    links,
    whiteouts,
    directories: new Set(),
    impliedDirectories: new Set(),
    get captured() {
      return captured;
    },
  };
}

/**
 * Writes notes for users on how the files of an image were changed: one for each kind of change, over all archives.
 *
 * @param privileged - Whether files keep their owners.
 */
export function notesOf(reports: readonly Report[], privileged: boolean): string[] {
  const notes = (Object.keys(TEXTS) as Change[]).flatMap((change) => {
    const found = reports.flatMap(({ changes }) => changes.get(change) ?? []);
    const count = found.reduce((sum, each) => sum + each.count, 0);
    return count === 0 ? [] : [TEXTS[change](count, shownName(found[0]?.first ?? ""))];
  });
  const owned = reports.reduce((sum, { owners }) => sum + owners.size, 0);
  if (owned > 0 && !privileged)
    notes.push(`files of other users than root (${owned}) belong to you here, as all files do`);
  return notes;
}

const TEXTS: Readonly<Record<Change, (count: number, first: string) => string>> = {
  devices: (count, first) => `left out device nodes (${count}), such as ${first}`,
  setId: (count, first) => `took away setuid and setgid bits (${count}), such as that of ${first}`,
  types: (count, first) =>
    `took entries of types that are not known (${count}) for files, such as ${first}`,
  noEnd: () => "the archive has no end mark, so it may have been cut off",
  owners: (count, first) =>
    `files of users that do not exist here (${count}), such as ${first}, belong to you`,
  unconfined: () =>
    "tar(1) unpacked it without a wall: no backend here keeps it from writing elsewhere, and only the names have been judged",
  capabilities: (count, first) =>
    `left out capabilities of files (${count}), such as those of ${first}`,
  attributes: (count, first) =>
    `left out extended attributes and access control lists (of ${count}), such as those of ${first}`,
};
