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
  const modes = new Map<string, number>();
  let owner = { uid: 0, gid: 0 };
  return {
    add(report) {
      for (const { path, opaque } of report.whiteouts) forget(modes, path, opaque);
      for (const [path, mode] of report.modes) modes.set(path, mode);
      if (report.modes.has("")) owner = report.owners.get("") ?? { uid: 0, gid: 0 };
    },
    apply(root, privileged) {
      for (const [path, mode] of modes)
        if (path !== "" && (mode & WHOLE) !== WHOLE) chmodDirectory(root, path, mode);
      if (privileged && (owner.uid !== 0 || owner.gid !== 0)) chown(root, owner.uid, owner.gid);
      // The mode must not depend on the umask. The directory above keeps other users out.
      chmodSync(root, modes.get("") ?? 0o755);
    },
  };
}

/** With these bits a directory can be filled, and it has got its mode at once. */
const WHOLE = 0o700;

/** Forgets what a layer has removed: a path and everything below it, or only the latter. */
function forget(modes: Map<string, number>, removed: string, opaque: boolean): void {
  for (const path of modes.keys()) {
    if (path === "") continue;
    if (removed === "" || path.startsWith(`${removed}/`) || (path === removed && !opaque))
      modes.delete(path);
  }
}
