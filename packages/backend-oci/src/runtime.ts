import type { ResolvedConfig } from "@sandboxlib/core/backend";
// oxlint-disable-next-line no-restricted-imports -- The launcher, which is the init inside, is a package of its own.
import { findLauncher } from "@sandboxlib/launcher";

/** What the probe has found to work on a host. */
export interface Runtime {
  readonly program: string;
  /** Its options that keep it away from cgroups. */
  readonly options: readonly string[];
  /** Whether it is started in a user namespace in which the caller is root: the caller lacks the capabilities. */
  readonly isRootless: boolean;
}

/** The launcher, which is the init inside. */
export function launcherPath(): string {
  const found = findLauncher();
  return "path" in found ? found.path : "sandboxlib-launcher";
}

/**
 * The words that start a runtime, where its own streams and the host's cgroups are out of its reach, in a user namespace
 * where one is wanted or needed: runtimes do less in one of their own. The program's words follow.
 */
export function runtimeWords(
  { program, options, isRootless }: Runtime,
  { isolate, user }: Pick<ResolvedConfig, "isolate" | "user">,
  words: readonly string[],
): [string, ...string[]] {
  const command = [program, ...options, ...words];
  const root = user === undefined ? "user:0:0" : `user:${user.uid}:${user.gid}`;
  const mode = isRootless ? "user" : isolate.has("user") ? root : "own";
  return [launcherPath(), "runtime", mode, String(command.length), ...command];
}
