import { type Backend, toolLimits } from "@sandboxlib/core/backend";
import { plan } from "./plan.js";
import { probe } from "./probe.js";

/** bwrap(1): Linux, with or without root. */
const bubblewrap: Backend = {
  apiVersion: 1,
  name: "bubblewrap",
  capabilities: new Set([
    "root",
    "writable.paths",
    "hidden",
    "mount.bind",
    "mount.bind.readOnly",
    "mount.tmpfs",
    "mount.tmpfs.size",
    "mount.proc",
    "mount.dev",
    "cwd",
    "env.loader",
    "network.none",
    "isolate.mount",
    "isolate.pid",
    "isolate.ipc",
    "isolate.uts",
    "isolate.user",
    "isolate.cgroup",
    "user",
    "hostname",
    ...toolLimits.capabilities,
    "tree.kill",
  ]),
  probe,
  plan,
};

export default bubblewrap;
