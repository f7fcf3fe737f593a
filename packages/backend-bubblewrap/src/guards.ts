import { statSync } from "node:fs";
import type { Host, ToolPlan } from "@sandboxlib/core/backend";
// oxlint-disable-next-line no-restricted-imports -- The launcher, which guards bwrap, is a package of its own.
import { findLauncher } from "@sandboxlib/launcher";

/** How bwrap is started so that it is guarded: its argv up to the first option. */
export interface Guards {
  readonly argv: ToolPlan["argv"];
  readonly clone?: NonNullable<ToolPlan["clone"]>;
  readonly startedBy?: string;
}

/** Why bwrap cannot be guarded, and what the user can do. */
export interface NoGuards {
  readonly reason: string;
  readonly remedy: string;
}

/**
 * Guards the files of the host that the program can reach in every sandbox. Their owner can change them without any
 * capability. They mostly belong to root, and then nothing is needed.
 *
 * - The file of bwrap: bwrap is pid 1 inside, and `/proc/1/exe` leads to its file. So a copy in memory is executed, which
 *   nobody can change.
 * - The devices: bwrap binds those of the host, and cannot bind them read-only. So it is started with a read-only `/dev`.
 */
export function guardsFor(
  bwrap: string,
  { uid }: Host,
  launcher: ReturnType<typeof findLauncher> = findLauncher(),
): Guards | NoGuards {
  const [isTool, isDevice] = [bwrap, "/dev/null"].map((path) => ownerOf(path) === uid);
  if (isTool !== true && isDevice !== true)
    return { argv: [bwrap], ...("path" in launcher && { startedBy: launcher.path }) };
  if ("reason" in launcher) return refused(launcher.reason, launcher.remedy);
  const { path } = launcher;
  return {
    argv: isDevice === true ? [path, "read-only-dev", bwrap] : [bwrap],
    startedBy: path,
    ...(isTool === true && { clone: { program: bwrap, by: path } }),
  };
}

/** Tries the guards on this host, and hands them on when they work or none is needed. */
export async function tryGuards(bwrap: string, host: Host): Promise<Guards | NoGuards> {
  const guards = guardsFor(bwrap, host);
  if ("reason" in guards) return guards;
  const { argv, clone } = guards;
  const [guarded, cloned] = await Promise.all([
    host.run([...argv, "--version"]),
    clone && host.run([clone.by, "clone", bwrap]),
  ]);
  if (guarded.exitCode !== 0) return refused(`/dev: ${reasonOf(guarded.stderr)}`, POWERS);
  if (cloned === undefined || cloned.exitCode === 0) return guards;
  return refused(reasonOf(cloned.stderr), MEMORY);
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid;
}

function refused(why: string, remedy: string): NoGuards {
  return {
    reason: `bwrap or the devices belong to this user, so the program could change them for the whole host, and what prevents it cannot be had: ${why}`,
    remedy: `${remedy} Or run as another user, or use the backend namespaces.`,
  };
}

function reasonOf(stderr: string): string {
  return stderr.trim() || "it fails without a reason";
}

const POWERS = "Run with CAP_SYS_ADMIN.";
const MEMORY =
  "Allow programs in memory (sysctl vm.memfd_noexec=1, or what a security module says of them).";
