import {
  type Backend,
  type Host,
  type Missing,
  type Probe,
  realHost,
} from "@sandboxlib/core/backend";
import {
  type InstalledBackend,
  installedBackends,
  loadBackend,
  probeCgroups,
  probeOn,
} from "@sandboxlib/core/internal";
import { describeError } from "./errors.js";

/** An installed backend, and whether it works here. */
export interface Surveyed {
  readonly installed: InstalledBackend;
  /** Undefined if its code could not be loaded, or is not for this platform. */
  readonly backend: Backend | undefined;
  readonly probe: Probe;
}

/**
 * Asks every installed backend whether it works here. An error of a backend becomes the reason why it does not, and so does
 * silence.
 *
 * @param seconds - The time that each of them has.
 */
export async function survey(seconds = 60): Promise<Surveyed[]> {
  const host = realHost();
  const { missing } = probeCgroups();
  return Promise.all(
    installedBackends().map(async (installed) => {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<Surveyed>((resolve) => {
        timer = setTimeout(() => resolve(silent(installed, seconds)), seconds * 1000);
      });
      const asked = examine(installed, host, missing);
      return Promise.race([asked, silence]).finally(() => clearTimeout(timer));
    }),
  );
}

function silent(installed: InstalledBackend, seconds: number): Surveyed {
  const reason = `its probe has given no answer within ${seconds} seconds`;
  const probe = {
    available: false,
    reason,
    remedy: "Use another backend, and tell its author.",
  } as const;
  return { installed, backend: undefined, probe };
}

async function examine(
  installed: InstalledBackend,
  host: Host,
  missing: readonly Missing[],
): Promise<Surveyed> {
  let backend: Backend | undefined;
  try {
    backend = await loadBackend(installed);
    return { installed, backend, probe: await probeOn(backend, host, missing) };
  } catch (error) {
    const { message, hint } = describeError(error);
    return {
      installed,
      backend,
      probe: { available: false, reason: message, remedy: hint ?? "Tell its author." },
    };
  }
}

/** The message for a host without any backend. */
export const NO_BACKEND =
  "No backend is installed. Install one beside this tool, such as @sandboxlib/backend-namespaces, or name its directory in SANDBOXLIB_BACKEND_PATH.";
