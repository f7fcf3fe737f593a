// oxlint-disable-next-line no-restricted-imports -- The program of this backend is a package of its own.
import { findLauncher, type Launcher, type NoLauncher } from "@sandboxlib/launcher";

/**
 * The launcher that is installed with this package. It is looked up here and not through the host, once: it is no
 * program of the machine but a part of this package, like a module that is imported.
 */
export function installedLauncher(): Launcher | NoLauncher {
  found ??= findLauncher();
  return found;
}

let found: Launcher | NoLauncher | undefined;
