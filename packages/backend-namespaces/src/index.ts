import type { Backend } from "@sandboxlib/core/backend";
import { plan } from "./plan.js";
import { probe } from "./probe.js";

/** Linux namespaces, made by the launcher of this project, with or without root. The host needs no tools for it. */
const namespaces: Backend = {
  apiVersion: 1,
  name: "namespaces",
  capabilities: new Set([
    "root",
    "root.overlay",
    "writable.paths",
    "hidden",
    "mount.bind",
    "mount.bind.readOnly",
    "mount.tmpfs",
    "mount.tmpfs.size",
    "mount.tmpfs.inodes",
    "mount.proc",
    "mount.dev",
    "mount.create",
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
    "user.range",
    "hostname",
    "limit.cpuTime",
    "limit.addressSpace",
    "limit.fileSize",
    "limit.openFiles",
    "limit.stack",
    "limit.coreSize",
    "tree.kill",
    "exit.signal",
    "session",
    "tty",
    "pool",
  ]),
  // The last parameter of these functions is for tests, so the functions themselves are not passed on.
  probe: (host) => probe(host),
  plan: (config, host) => plan(config, host),
};

export default namespaces;
