import { type Backend, defineBackend } from "@sandboxlib/core/backend";
import { mechanisms } from "./mechanisms.js";
import { plan } from "./plan.js";
import { probe } from "./probe.js";
import type { Runtime } from "./runtime.js";

/** The backend with a given runtime: the name of an installed one, such as `runc`, or the path of a program. */
export function ociWith(runtime: string): Backend {
  return ociOf(() => runtime);
}

/** OCI runtimes: Linux, with or without root. Takes the first that works, or the one that the environment names. */
const oci: Backend = ociOf(() => process.env["SANDBOXLIB_OCI_RUNTIME"] || undefined);

export default oci;

function ociOf(named: () => string | undefined): Backend {
  return defineBackend<Runtime>({
    name: "oci",
    mechanisms,
    probe: (host) => probe(host, named()),
    plan: (config, host, { findings }) => plan(config, host, findings),
  });
}
