import {
  type Backend,
  type ConfigInput,
  createSandbox,
  installedBackends,
  isSandboxError,
  loadBackend,
  type Sandbox,
} from "@sandboxlib/core";
import { withNoNewPrivileges } from "./no-new-privileges.js";

/** The backend that runs this very command. */
const ITSELF = "linux-user-chroot";

/**
 * A sandbox by the strongest installed backend that can run here and honour the config. `SANDBOXLIB_BACKEND` names
 * another one, but never the one that would come back to this command.
 *
 * @param handsOnFds - Whether the program is to have fds above 2, which the launcher gives to none.
 * @throws what the strongest one says when there is none.
 */
export async function sandboxFor(config: ConfigInput, handsOnFds: boolean): Promise<Sandbox> {
  let first: Error | undefined;
  for (const backend of await others()) {
    try {
      const sandbox = await createSandbox(config, { backend: withNoNewPrivileges(backend) });
      if (!handsOnFds || sandbox.plan.kind !== "launcher") return sandbox;
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

const PASSED_OVER: ReadonlySet<string> = new Set(["BACKEND_UNAVAILABLE", "CAPABILITY_UNSUPPORTED"]);

const NONE =
  "no backend is installed that could be used. Install one beside this command, such as @sandboxlib/backend-namespaces, or name its directory in SANDBOXLIB_BACKEND_PATH.";

/** The strongest first; one that cannot be loaded is none. */
async function others(): Promise<Backend[]> {
  const usable = installedBackends().filter(
    ({ name, platforms }) =>
      name !== ITSELF && platforms.includes(process.platform) && name === (wanted() ?? name),
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
