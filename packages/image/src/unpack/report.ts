/** In which way an entry is not unpacked as it is, or an archive not in the way that it should be. */
export type Change = "devices" | "setId" | "powers" | "attributes" | "bare";

/** A name of a lower layer that this layer removes, or a directory of it that this layer empties. */
export interface Whiteout {
  readonly opaque: boolean;
  readonly path: string;
}

/** What the sanitizer leaves to be done when tar(1) has ended, and what users are told of an archive. */
export interface Report {
  note(change: Change, path: string): void;
  own(path: string, uid: number, gid: number): void;
  hide(whiteout: Whiteout): void;
  capture(bytes: Buffer): void;
  readonly changes: ReadonlyMap<Change, { readonly count: number; readonly first: string }>;
  /** The entries that belong to another user than root. Where two have the same path, the last one counts. */
  readonly owners: ReadonlyMap<string, { readonly uid: number; readonly gid: number }>;
  readonly whiteouts: readonly Whiteout[];
  /** The directories that have an entry of their own. */
  readonly directories: Set<string>;
  /** The directories that have none, and only are parents of other entries. */
  readonly above: Set<string>;
  readonly captured: Buffer | undefined;
}

/** A report that is still empty. */
export function newReport(): Report {
  const changes = new Map<Change, { count: number; first: string }>();
  const owners = new Map<string, { uid: number; gid: number }>();
  const whiteouts: Whiteout[] = [];
  let captured: Buffer | undefined;
  return {
    note(change, path) {
      const known = changes.get(change);
      if (known === undefined) changes.set(change, { count: 1, first: path });
      else known.count += 1;
    },
    own(path, uid, gid) {
      if (uid === 0 && gid === 0) owners.delete(path);
      else owners.set(path, { uid, gid });
    },
    hide: (whiteout) => void whiteouts.push(whiteout),
    capture(bytes) {
      captured = bytes;
    },
    changes,
    owners,
    whiteouts,
    directories: new Set(),
    above: new Set(),
    get captured() {
      return captured;
    },
  };
}
