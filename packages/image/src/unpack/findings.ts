/** Why an entry is not unpacked as it is, or an archive not as it should be. */
export type Change = "devices" | "setId" | "powers" | "attributes" | "bare";

/** A name of a lower layer that is gone, or a directory whose content there is. */
export interface Whiteout {
  readonly opaque: boolean;
  readonly path: string;
}

/** What the judge leaves to be done once tar(1) is through, and what users are told. */
export interface Findings {
  note(change: Change, path: string): void;
  own(path: string, uid: number, gid: number): void;
  hide(whiteout: Whiteout): void;
  capture(bytes: Buffer): void;
  readonly changes: ReadonlyMap<Change, { readonly count: number; readonly first: string }>;
  /** The entries that belong to somebody else than root. Of those for one path the last one counts. */
  readonly owners: ReadonlyMap<string, { readonly uid: number; readonly gid: number }>;
  readonly whiteouts: readonly Whiteout[];
  /** The directories that the archive names, as opposed to those that only lie above what it names. */
  readonly directories: Set<string>;
  /** Those that only lie above what it names. */
  readonly above: Set<string>;
  readonly captured: Buffer | undefined;
}

/** Nothing found yet. */
export function findings(): Findings {
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
