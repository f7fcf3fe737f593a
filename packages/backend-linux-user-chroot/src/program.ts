import { readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Host } from "@sandboxlib/core/backend";

/** Why a program cannot be used. */
export interface Unusable {
  readonly reason: string;
  readonly remedy: string;
}

/** The program to use. */
export interface Program {
  readonly path: string;
  /** Whether the kernel runs it as root, whoever starts it. */
  readonly isSetuid: boolean;
  /** Whether it is a script, such as the drop-in, which does nothing that only root may do. */
  readonly isScript: boolean;
}

/** Finds the program. When the caller names none, it is looked up in the directories of the system. */
export function findProgram(host: Host, named: string | undefined): Program | Unusable {
  const path = named ?? host.which("linux-user-chroot");
  if (path === undefined)
    return {
      reason: "linux-user-chroot is not installed in a directory of the system",
      remedy: INSTALL,
    };
  const because = named === undefined ? undefined : whyNot(path, host);
  if (because !== undefined)
    return { reason: `${JSON.stringify(path)}, which was named, ${because}`, remedy: NAME };
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return { path, isSetuid: false, isScript: false };
  const isSetuid = stat.uid === 0 && (stat.mode & 0o4000) !== 0;
  return { path, isSetuid, isScript: !isSetuid && startsAsScript(path) };
}

const INSTALL =
  "Install it setuid root in /usr/local/bin, or install @sandboxlib/linux-user-chroot, which takes its place, and name its command in SANDBOXLIB_LINUX_USER_CHROOT (an absolute path). Or use the backend namespaces.";

const NAME =
  "Give the absolute path of a program that belongs to root or to you and that nobody else can write.";

/**
 * Why a program must not be used. As for programs in the directories of the system, no other user may be able to
 * replace it.
 */
function whyNot(path: string, { uid }: Host): string | undefined {
  if (!isAbsolute(path)) return "is not an absolute path";
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "does not exist";
  if (!stat.isFile() || (stat.mode & 0o111) === 0) return "is not a program";
  if (stat.uid !== 0 && stat.uid !== uid) return "belongs to another user";
  return (stat.mode & 0o022) === 0 ? undefined : "can be written by others";
}

function startsAsScript(path: string): boolean {
  try {
    return readFileSync(path, "latin1").startsWith("#!");
  } catch {
    return false;
  }
}
