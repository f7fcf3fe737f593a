import { type ConfigInput, createSandbox, isSandboxError, type Sandbox } from "@sandboxlib/core";
import type { Backend } from "@sandboxlib/core/backend";
import { installedBackends, loadBackend } from "@sandboxlib/core/internal";
import { withNoNewPrivileges } from "./no-new-privileges.js";

/** The backend that starts linux-user-chroot, and so may start this command. */
const ITSELF = "linux-user-chroot";

/**
 * Makes a sandbox with the strongest installed backend that works on this host and supports the config. `SANDBOXLIB_BACKEND`
 * names another backend. The backend that would start this command again is never used.
 *
 * @param handsOnFds - Whether the program gets fds above 2, which a plan for the launcher does not support.
 * @throws the error of the strongest backend when none can be used.
 */
export async function sandboxFor(config: ConfigInput, handsOnFds: boolean): Promise<Sandbox> {
  let first: Error | undefined;
  for (const backend of await others()) {
    try {
      const sandbox = await createSandbox(config, { backend: withNoNewPrivileges(backend) });
      if (!handsOnFds || canHandOn(sandbox)) return sandbox;
      first ??= new Error(`the backend ${backend.name} hands on no fd above 2`);
    } catch (error) {
      if (!isSandboxError(error) || !PASSED_OVER.has(error.code)) throw error;
      first ??= error;
    }
  }
  throw (
    first ?? new Error(wanted() === undefined ? NONE : `${wanted()}: no such backend is installed`)
  );
}

function canHandOn({ plan }: Sandbox): boolean {
  return plan.kind === "tool" && plan.closesFds !== true;
}

const PASSED_OVER: ReadonlySet<string> = new Set(["BACKEND_UNAVAILABLE", "CAPABILITY_UNSUPPORTED"]);

const NONE =
  "no backend is installed that could be used. Install one beside this command, such as @sandboxlib/backend-namespaces, or name its directory in SANDBOXLIB_BACKEND_PATH.";

/** All other backends, the strongest first. A backend that cannot be loaded, or is for other machines, is left out. */
async function others(): Promise<Backend[]> {
  const usable = installedBackends().filter(
    ({ name }) => name !== ITSELF && name === (wanted() ?? name),
  );
  const loaded = await Promise.allSettled(usable.map(async (each) => loadBackend(each)));
  return loaded
    .flatMap((result) => (result.status === "fulfilled" ? [result.value] : []))
    .sort((a, b) => b.capabilities.size - a.capabilities.size);
}

function wanted(): string | undefined {
  const named = process.env["SANDBOXLIB_BACKEND"];
  return named === undefined || named === "" || named === ITSELF ? undefined : named;
}
