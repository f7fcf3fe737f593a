import { statSync } from "node:fs";
import type { Host, ToolPlan } from "@sandboxlib/core";
// oxlint-disable-next-line no-restricted-imports -- What guards bwrap is a package of its own.
import { findLauncher } from "@sandboxlib/launcher";

/** How bwrap is started, up to its first option. */
export interface Guards {
  readonly argv: ToolPlan["argv"];
  readonly clone?: NonNullable<ToolPlan["clone"]>;
}

/** Why they cannot be had, and what to do about it. */
export interface NoGuards {
  readonly reason: string;
  readonly remedy: string;
}

/**
 * What keeps the program from changing files of the host that every sandbox leads to, and that its owner may change
 * without any capability. For most callers they belong to root, and nothing is needed.
 *
 * - bwrap is pid 1 inside, and `/proc/1/exe` leads to its file: it is executed from a sealed copy in memory.
 * - bwrap binds the devices of the host, and has no way to bind one read-only: it gets a `/dev` that is.
 */
export function guardsFor(
  bwrap: string,
  { uid }: Host,
  launcher: ReturnType<typeof findLauncher> = findLauncher(),
): Guards | NoGuards {
  const [isTool, isDevice] = [bwrap, "/dev/null"].map((path) => ownerOf(path) === uid);
  if (isTool !== true && isDevice !== true) return { argv: [bwrap] };
  if ("reason" in launcher) return refused(launcher.reason, launcher.remedy);
  const { path } = launcher;
  return {
    argv: isDevice === true ? [path, "read-only-dev", bwrap] : [bwrap],
    ...(isTool === true && { clone: { program: bwrap, by: path } }),
  };
}

/** Tries them. Undefined when they work, or none is needed. */
export async function tryGuards(bwrap: string, host: Host): Promise<NoGuards | undefined> {
  const guards = guardsFor(bwrap, host);
  if ("reason" in guards) return guards;
  const { argv, clone } = guards;
  const [guarded, cloned] = await Promise.all([
    host.run([...argv, "--version"]),
    clone && host.run([clone.by, "clone", bwrap]),
  ]);
  if (guarded.exitCode !== 0) return refused(`/dev: ${reasonOf(guarded.stderr)}`, POWERS);
  if (cloned === undefined || cloned.exitCode === 0) return undefined;
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
