// oxlint-disable-next-line no-restricted-imports -- The program of this backend is a package of its own.
import { findLauncher, type Launcher, type NoLauncher } from "@sandboxlib/launcher";

/**
 * Finds the launcher that is installed with this package. It is looked up once and not through the host, since it is a part
 * of this package, as an imported module is, and no program of the host.
 */
export function installedLauncher(): Launcher | NoLauncher {
  found ??= findLauncher();
  return found;
}

let found: Launcher | NoLauncher | undefined;
