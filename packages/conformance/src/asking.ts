import type { Capability, ConfigInput } from "@sandboxlib/core";

/** A config that asks for a capability, and the field that asks. */
export interface Asking {
  readonly path: string;
  readonly config: ConfigInput;
}

const BIND = { type: "bind", source: "/", target: "/tmp" } as const;

/** For each capability a config that asks for it. */
export const ASKING: Partial<Record<Capability, Asking>> = {
  root: { path: "root", config: {} },
  "root.overlay": {
    path: "overlay",
    config: { overlay: { upper: "/tmp", work: "/tmp" }, writable: "all" },
  },
  "writable.paths": { path: "writable", config: { writable: [] } },
  hidden: { path: "hidden", config: { hidden: ["/etc"] } },
  "mount.bind": { path: "mounts[0]", config: { mounts: [BIND] } },
  "mount.bind.readOnly": {
    path: "mounts[0].readOnly",
    config: { mounts: [{ ...BIND, readOnly: true }] },
  },
  "mount.tmpfs": { path: "mounts[0]", config: { mounts: [{ type: "tmpfs", target: "/tmp" }] } },
  "mount.tmpfs.size": {
    path: "mounts[0].size",
    config: { mounts: [{ type: "tmpfs", target: "/tmp", size: 65_536 }] },
  },
  "mount.proc": { path: "mounts[0]", config: { mounts: [{ type: "proc", target: "/proc" }] } },
  "mount.dev": { path: "mounts[0]", config: { mounts: [{ type: "dev", target: "/dev" }] } },
  "env.loader": { path: "env.LD_PRELOAD", config: { env: { LD_PRELOAD: "/x" } } },
  "network.none": { path: "network", config: { network: "none" } },
  seccomp: { path: "seccomp", config: { seccomp: "default" } },
  "allow.user-namespaces": { path: "allow", config: { allow: ["user-namespaces"] } },
  user: { path: "user", config: { user: { uid: 12345, gid: 12345 } } },
  "user.range": { path: "user.range", config: { user: { uid: 0, gid: 0, range: 2 } } },
  hostname: { path: "hostname", config: { hostname: "kit" } },
  "limit.cpuTime": { path: "limits.cpuTime", config: { limits: { cpuTime: 60 } } },
  "limit.addressSpace": {
    path: "limits.addressSpace",
    config: { limits: { addressSpace: 2 ** 40 } },
  },
  "limit.fileSize": { path: "limits.fileSize", config: { limits: { fileSize: 2 ** 20 } } },
  "limit.openFiles": { path: "limits.openFiles", config: { limits: { openFiles: 64 } } },
  "limit.stack": { path: "limits.stack", config: { limits: { stack: 2 ** 22 } } },
  "limit.coreSize": { path: "limits.coreSize", config: { limits: { coreSize: 0 } } },
  "limit.memory": { path: "limits.memory", config: { limits: { memory: 2 ** 28 } } },
  "limit.processes": { path: "limits.processes", config: { limits: { processes: 100 } } },
  "limit.cpu": { path: "limits.cpu", config: { limits: { cpu: 1 } } },
  "limit.ioWeight": { path: "limits.ioWeight", config: { limits: { ioWeight: 50 } } },
  "tree.kill": { path: "command", config: {} },
  ...Object.fromEntries(
    (["mount", "pid", "ipc", "uts", "user", "cgroup"] as const).map((name) => [
      `isolate.${name}`,
      { path: "isolate", config: { isolate: [name] } },
    ]),
  ),
};
