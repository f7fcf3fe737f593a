import { fileURLToPath } from "node:url";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import chroot from "@sandboxlib/backend-chroot";
import { linuxUserChrootAt } from "@sandboxlib/backend-linux-user-chroot";
import namespaces from "@sandboxlib/backend-namespaces";
import { allCapabilities, CAPABILITIES, type Capability } from "@sandboxlib/core";
import { type Backend, realHost } from "@sandboxlib/core/backend";
import { isRequired } from "@sandboxlib/test-support";

const DROP_IN = installed("linux-user-chroot");

/** A command of another package of this repository. */
function installed(command: string): string {
  return fileURLToPath(new URL(`../../node_modules/.bin/${command}`, import.meta.url));
}

/** A backend, and the capabilities that it lacks and that can be dropped. */
export interface Tried {
  readonly backend: Backend;
  readonly prefer: readonly Capability[];
  /** The end of the title of a skipped test: why the backend cannot run here. Empty when it can. */
  readonly why: string;
}

/** The backends of this project that support `root`. Those in `SANDBOXLIB_REQUIRE` are never skipped. */
export async function backends(): Promise<Tried[]> {
  return Promise.all(
    [namespaces, bubblewrap, chroot, linuxUserChrootAt(DROP_IN)].map(
      async (backend): Promise<Tried> => {
        const probe = await backend.probe(realHost());
        const mustRun = isRequired(backend.name) && process.getuid?.() === 0;
        const why = probe.available || mustRun ? "" : ` (skipped: ${probe.reason})`;
        const prefer = allCapabilities().filter(
          (word) => CAPABILITIES[word].droppable && !backend.capabilities.has(word),
        );
        return { backend, prefer, why };
      },
    ),
  );
}
