import { chmodSync } from "node:fs";
import { chmodDirectory, chown } from "./ownership.js";
import type { Report } from "./report.js";

/** What is set when everything else is done: before, directories that nobody may write to have to be filled. */
export interface Finish {
  /** Takes what an archive says of its directories. It replaces what the archives before it have said. */
  add(report: Report): void;
  /** Sets the modes of directories, and the owner and mode of the root. */
  apply(root: string, privileged: boolean): void;
}

/** Starts to collect the modes of directories. */
export function newFinish(): Finish {
  const top = newDirectory();
  let owner = { uid: 0, gid: 0 };
  return {
    add(report) {
      for (const { path, opaque } of report.whiteouts) forget(top, path, opaque);
      for (const [path, mode] of report.modes) directoryAt(top, path).mode = mode;
      if (report.modes.has("")) owner = report.owners.get("") ?? { uid: 0, gid: 0 };
    },
    apply(root, privileged) {
      setModesBelow(root, "", top);
      if (privileged && (owner.uid !== 0 || owner.gid !== 0)) chown(root, owner.uid, owner.gid);
      // The mode must not depend on the umask. The directory above keeps other users out.
      chmodSync(root, top.mode ?? 0o755);
    },
  };
}

/** A tree, because a layer may remove a hundred thousand paths, and each is to cost no more than its own length. */
interface Directory {
  mode?: number;
  readonly below: Map<string, Directory>;
}

function newDirectory(): Directory {
  return { below: new Map() };
}

function directoryAt(top: Directory, path: string): Directory {
  let directory = top;
  for (const name of namesOf(path)) {
    const next = directory.below.get(name) ?? newDirectory();
    directory.below.set(name, next);
    directory = next;
  }
  return directory;
}

/** Forgets what a layer has removed: a path and everything below it, or only the latter. The root always stays. */
function forget(top: Directory, path: string, opaque: boolean): void {
  const names = namesOf(path);
  const last = opaque ? undefined : names.pop();
  let directory: Directory | undefined = top;
  for (const name of names) directory = directory?.below.get(name);
  if (last === undefined) directory?.below.clear();
  else directory?.below.delete(last);
}

function namesOf(path: string): string[] {
  return path === "" ? [] : path.split("/");
}

/** Deepest first, as nothing can be looked up in a directory that nobody may enter. */
function setModesBelow(root: string, path: string, { below }: Directory): void {
  for (const [name, directory] of below) {
    const inside = path === "" ? name : `${path}/${name}`;
    setModesBelow(root, inside, directory);
    const { mode = WHOLE } = directory;
    if ((mode & WHOLE) !== WHOLE) chmodDirectory(root, inside, mode);
  }
}

/** With these bits a directory can be filled, and it has got its mode at once. */
const WHOLE = 0o700;
