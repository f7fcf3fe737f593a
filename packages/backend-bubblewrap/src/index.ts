import { type Backend, defineBackend } from "@sandboxlib/core/backend";
import { mechanisms, partly } from "./mechanisms.js";
import { plan } from "./plan.js";
import { probe } from "./probe.js";

/** bwrap(1): Linux, with or without root. */
const bubblewrap: Backend = defineBackend({
  name: "bubblewrap",
  mechanisms,
  partly,
  probe,
  plan,
});

export default bubblewrap;
