import { type Backend, defineBackend } from "@sandboxlib/core/backend";
import { mechanisms, partly } from "./mechanisms.js";
import { plan } from "./plan.js";
import { presume, probe } from "./probe.js";

/** Linux namespaces, made by the launcher of this project, with or without root. The host needs no tools for it. */
const namespaces: Backend = defineBackend({
  name: "namespaces",
  mechanisms,
  partly,
  // The last parameter of these functions is for tests, so the functions themselves are not passed on.
  probe: (host) => probe(host),
  presume: (host) => presume(host),
  plan: (config, host) => plan(config, host),
});

export default namespaces;
