import { describe, expect, it } from "vitest";
import {
  CAPABILITIES,
  type Capability,
  type ConfigInput,
  isCapability,
  needs,
  parseConfig,
} from "../../src/index.js";
import { thrown } from "../support/thrown.js";

const ASKS: readonly (readonly [config: ConfigInput, capability: Capability, path: string])[] = [
  [{ root: "/srv" }, "root", "root"],
  [{}, "writable.paths", "writable"],
  [{ hidden: ["/x"] }, "hidden", "hidden"],
  [{ mounts: [{ type: "bind", source: "/x", target: "/x" }] }, "mount.bind", "mounts[0]"],
  [
    {
      mounts: [
        { type: "proc", target: "/p" },
        { type: "bind", source: "/x", target: "/x", readOnly: true },
      ],
    },
    "mount.bind.readOnly",
    "mounts[1].readOnly",
  ],
  [{ mounts: [{ type: "tmpfs", target: "/x" }] }, "mount.tmpfs", "mounts[0]"],
  [{ mounts: [{ type: "tmpfs", target: "/x", size: 1 }] }, "mount.tmpfs.size", "mounts[0].size"],
  [{}, "mount.proc", "mounts[0]"],
  [{}, "mount.dev", "mounts[1]"],
  [{}, "cwd", "cwd"],
  [{ env: { LD_PRELOAD: "/x" } }, "env.loader", "env.LD_PRELOAD"],
  [{ inheritEnv: ["LD_LIBRARY_PATH"] }, "env.loader", "inheritEnv"],
  [{ env: { GLIBC_TUNABLES: "x" } }, "env.loader", "env.GLIBC_TUNABLES"],
  [{ env: { DYLD_INSERT_LIBRARIES: "x" } }, "env.loader", "env.DYLD_INSERT_LIBRARIES"],
  [{}, "network.none", "network"],
  [{ isolate: ["uts"] }, "isolate.uts", "isolate"],
  [{ user: { uid: 1, gid: 1 } }, "user", "user"],
  [{ hostname: "a" }, "hostname", "hostname"],
  [{ seccomp: "build" }, "seccomp", "seccomp"],
  [{ seccomp: { profile: { defaultAction: "SCMP_ACT_ALLOW" } } }, "seccomp", "seccomp"],
  [{ allow: ["user-namespaces"] }, "allow.user-namespaces", "allow"],
  [{ allow: ["user-namespaces"] }, "seccomp", "allow"],
  [{ allow: ["user-namespaces"], seccomp: "build" }, "seccomp", "seccomp"],
  [{ limits: { wallTime: 1 } }, "limit.wallTime", "limits.wallTime"],
  [{ limits: { cpuTime: 1 } }, "limit.cpuTime", "limits.cpuTime"],
  [{ limits: { coreSize: 0 } }, "limit.coreSize", "limits.coreSize"],
  [{ limits: { memory: 1, swap: 0 } }, "limit.memory", "limits.memory"],
  [{ limits: { processes: 1 } }, "limit.processes", "limits.processes"],
  [{ limits: { cpu: 1 } }, "limit.cpu", "limits.cpu"],
  [{ limits: { ioWeight: 1 } }, "limit.ioWeight", "limits.ioWeight"],
  [{}, "tree.kill", "command"],
];

describe("needs", () => {
  it.each(ASKS)("%j asks for %s", (input, capability, path) => {
    expect(needs(parseConfig(input))).toContainEqual({ capability, path });
  });

  it("asks for nothing that a config leaves to the host", () => {
    const open = parseConfig({ writable: "all", mounts: [], network: "host", isolate: [] });
    expect(needs(open).map(({ capability }) => capability)).toEqual(["cwd", "tree.kill"]);
    const none = parseConfig({ seccomp: "none" });
    expect(needs(none).map(({ capability }) => capability)).not.toContain("seccomp");
  });

  it("asks with the words of the vocabulary only", () => {
    for (const [input] of ASKS)
      for (const { capability } of needs(parseConfig(input)))
        expect(isCapability(capability)).toBe(true);
  });

  it("does not take an inherited property for a word", () => {
    expect(["toString", "__proto__", ""].some(isCapability)).toBe(false);
  });

  it("lets nothing go that decides what the program is given", () => {
    const fixed = Object.entries(CAPABILITIES).filter(([, { droppable }]) => !droppable);
    expect(fixed.map(([word]) => word)).toEqual([
      "root",
      "root.overlay",
      "mount.bind",
      "mount.create",
      "cwd",
      "env.loader",
      "allow.user-namespaces",
      "user",
      "user.range",
      "session",
      "tty",
      "pool",
    ]);
  });
});

it.each([3, null, {}, { cwd: "/" }])(
  "needs are those of a parsed config, and not of %j",
  async (value) => {
    expect(await thrown(() => needs(value as never))).toMatchObject({
      code: "CONFIG_INVALID",
      path: "config",
      hint: "Give `needs` what `parseConfig` returns.",
    });
  },
);
