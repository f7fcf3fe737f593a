import { describe, expect, it } from "vitest";
import type { Backend, Missing } from "../../src/index.backend.js";
import {
  allCapabilities,
  CAPABILITIES,
  type Capability,
  type ConfigInput,
  degradeConfigForCapabilities,
  maximumPossibleIsolation,
  type Need,
  parseConfig,
} from "../../src/index.js";
import { resolve } from "../../src/resolve/resolve.js";
import { allBut, declaring } from "../support/backend.js";
import { thrown } from "../support/thrown.js";

const ANYWHERE = { available: true } as const;

/** Asks for everything at once. */
const GREEDY: ConfigInput = {
  root: "/srv",
  hidden: ["/secret"],
  mounts: [
    { type: "bind", source: "/x", target: "/x", readOnly: true },
    { type: "tmpfs", target: "/tmp", size: 4096 },
    { type: "proc", target: "/proc" },
    { type: "dev", target: "/dev" },
  ],
  env: { LD_PRELOAD: "/x" },
  user: { uid: 1, gid: 1, range: 2 },
  seccomp: "build",
  hostname: "kit",
  limits: {
    wallTime: 1,
    cpuTime: 1,
    addressSpace: 1,
    fileSize: 1,
    openFiles: 3,
    stack: 1,
    coreSize: 0,
    memory: 1,
    swap: 1,
    processes: 1,
    cpu: 1,
    ioWeight: 1,
  },
};

/** An overlay is written all over, so that it does not go with listed paths. What allows something builds on others. */
function greedyOf(capability: Capability): ConfigInput {
  if (capability === "allow.user-namespaces") return { ...GREEDY, allow: ["user-namespaces"] };
  const overlay = { upper: "/layer/upper", work: "/layer/work" };
  return capability === "root.overlay" ? { ...GREEDY, overlay, writable: "all" } : GREEDY;
}

/** What no config asks for. */
const UNASKED: Capability[] = [
  "mount.create",
  "mount.tmpfs.inodes",
  "exit.signal",
  "session",
  "tty",
  "pool",
  // Core keeps it for every backend.
  "limit.wallTime",
];

/** An engine, as of other backends core keeps some limits itself. */
function undeclaring(capability: Capability): Pick<Backend, "name" | "capabilities" | "isEngine"> {
  return { ...declaring(allBut(capability)), isEngine: true };
}

describe("resolve", () => {
  it("leaves a config alone that the backend can honour", () => {
    const config = parseConfig(GREEDY);
    const resolved = resolve(config, declaring(allCapabilities()), ANYWHERE);
    expect([resolved.config, resolved.dropped]).toEqual([config, []]);
  });

  it.each(allBut(...UNASKED))(
    "refuses a config that asks for an undeclared %s",
    async (capability) => {
      const backend = undeclaring(capability);
      const error = await thrown(() =>
        resolve(parseConfig(greedyOf(capability)), backend, ANYWHERE),
      );
      expect([error.code, error.backend]).toEqual(["CAPABILITY_UNSUPPORTED", "made-up"]);
      expect(error.message).toContain(`${error.path}: needs ${capability}`);
    },
  );

  it.each(allBut(...UNASKED))("lets %s go with prefer only where it may", async (capability) => {
    const backend = undeclaring(capability);
    // What builds on it goes with it, and is left out here: it has tests of its own below.
    const { hostname: _, ...plain } = GREEDY;
    const mounts = GREEDY.mounts?.map((each) =>
      each.type === "tmpfs" ? { ...each, size: undefined } : each,
    );
    const asked = { "isolate.uts": plain, "mount.tmpfs": { ...GREEDY, mounts } };
    const config = parseConfig(
      Object.hasOwn(asked, capability)
        ? asked[capability as keyof typeof asked]
        : greedyOf(capability),
    );
    const attempt = (): unknown => resolve(config, backend, ANYWHERE, [capability]);
    if (!CAPABILITIES[capability].droppable) {
      const error = await thrown(attempt);
      expect(error.hint).not.toContain("prefer");
      return;
    }
    const { dropped, needs } = attempt() as {
      dropped: readonly (Need & { reason: string })[];
      needs: readonly Need[];
    };
    expect(dropped.map((entry) => entry.capability)).toContain(capability);
    expect(dropped[0]?.reason).toContain("made-up");
    expect(needs.map((need) => need.capability)).not.toContain(capability);
  });

  it("gives the default profile of system calls where there is one and nothing else is said", () => {
    const found = (asked: ConfigInput, lacks: readonly Capability[] = []): unknown[] => {
      const backend = declaring(allBut(...lacks));
      const { config, needs, dropped } = resolve(parseConfig(asked), backend, ANYWHERE);
      return [config.seccomp, needs.some(({ path }) => path === "seccomp"), dropped.length];
    };
    expect(found({})).toEqual(["default", true, 0]);
    expect(found({ seccomp: "none" })).toEqual(["none", false, 0]);
    expect(found({}, ["seccomp"])).toEqual([undefined, false, 0]);
    expect(found({ seccomp: "none" }, ["seccomp"])).toEqual(["none", false, 0]);
  });

  it("asks for nothing any more that it has dropped", () => {
    const backend = declaring(
      allBut(...allCapabilities().filter((word) => CAPABILITIES[word].droppable)),
    );
    const { config, dropped } = resolve(parseConfig(GREEDY), backend, ANYWHERE, "all");
    const again = resolve(config, backend, ANYWHERE, ["tree.kill"]);
    expect(dropped.length).toBeGreaterThan(10);
    expect(again.dropped.map(({ capability }) => capability)).toEqual(["tree.kill"]);
  });

  it.each(["isolate.user", "seccomp"] as const)(
    "allows no user namespaces where %s is let go",
    async (base) => {
      const config = parseConfig({ allow: ["user-namespaces"] });
      const backend = declaring(allBut(base));
      expect(await thrown(() => resolve(config, backend, ANYWHERE, "all"))).toMatchObject({
        path: "allow",
        message: `allow: needs allow.user-namespaces, and it takes ${base}, which is let go`,
      });
    },
  );

  it("does not let another need go than the named one", async () => {
    const backend = declaring(allBut("network.none", "hidden"));
    const error = await thrown(() => resolve(parseConfig(GREEDY), backend, ANYWHERE, ["hidden"]));
    expect(error.path).toBe("network");
  });

  it("names every need that is not met, by its field, and a way out for all of them", async () => {
    const missing: Missing[] = [
      { capability: "isolate.cgroup", reason: "the kernel is too old", remedy: "Update it." },
    ];
    const backend = declaring(allBut("writable.paths", "isolate.ipc", "network.none"));
    const error = await thrown(() =>
      resolve(parseConfig({}), backend, { available: true, missing }),
    );
    expect([error.message, error.hint]).toEqual([
      "writable: needs writable.paths, and the backend made-up does not enforce it. Not met either: isolate needs isolate.ipc, isolate.cgroup (the kernel is too old); network needs network.none",
      'Update it. Use a backend that enforces them, change `writable`, `isolate`, `network`, or let them go with prefer: ["writable.paths", "isolate.ipc", "isolate.cgroup", "network.none"] (--prefer writable.paths --prefer isolate.ipc --prefer isolate.cgroup --prefer network.none).',
    ]);
  });

  it("drops nothing that the backend has, though it might be let go", () => {
    const { dropped } = resolve(parseConfig(GREEDY), declaring(allCapabilities()), ANYWHERE, "all");
    expect(dropped).toEqual([]);
  });

  it("refuses what this host lacks, with the host's reason and remedy", async () => {
    const missing: Missing[] = [
      { capability: "isolate.cgroup", reason: "the kernel is too old", remedy: "Update it." },
    ];
    const probe = { available: true, missing } as const;
    const backend = declaring(allCapabilities());
    const error = await thrown(() => resolve(parseConfig({}), backend, probe));
    expect(error.message).toBe("isolate: needs isolate.cgroup, and the kernel is too old");
    expect(error.hint).toMatch(/^Update it\. /);
    const { config, dropped } = resolve(parseConfig({}), backend, probe, ["isolate.cgroup"]);
    expect(config.isolate).not.toContain("cgroup");
    expect(dropped).toEqual([
      { capability: "isolate.cgroup", path: "isolate", reason: "the kernel is too old" },
    ]);
  });

  it("names every dropped mount by its own field", () => {
    const mounts = [
      { type: "tmpfs", target: "/a" },
      { type: "proc", target: "/p" },
      { type: "tmpfs", target: "/b" },
    ] as const;
    const { config, dropped } = resolve(
      parseConfig({ mounts, defaultMounts: false }),
      declaring(allBut("mount.tmpfs")),
      ANYWHERE,
      "all",
    );
    expect(dropped.map(({ path }) => path)).toEqual(["mounts[0]", "mounts[2]"]);
    expect(config.mounts).toEqual([mounts[1]]);
  });
});

describe("degradeConfigForCapabilities", () => {
  it("opens what the backend cannot close, and says what", () => {
    const backend = declaring(["root", "cwd", "mount.bind"]);
    const { config, dropped } = degradeConfigForCapabilities(
      { root: "/srv", limits: { wallTime: 1 } },
      backend,
    );
    expect(config).toMatchObject({
      root: "/srv",
      writable: "all",
      network: "host",
      isolate: [],
      mounts: [],
      limits: {},
    });
    expect(dropped.map(({ capability }) => capability)).toContain("network.none");
  });

  it("does not give up what the program is given", async () => {
    const error = await thrown(() =>
      degradeConfigForCapabilities({ root: "/srv" }, declaring(["cwd"])),
    );
    expect([error.code, error.path]).toEqual(["CAPABILITY_UNSUPPORTED", "root"]);
  });
});

describe("maximumPossibleIsolation", () => {
  it("is everything for a backend that has everything", () => {
    const { writable, network, isolate } = maximumPossibleIsolation(declaring(allCapabilities()));
    expect({ writable, network, isolate }).toEqual({
      writable: [],
      network: "none",
      isolate: ["mount", "pid", "ipc", "uts", "user", "cgroup"],
    });
  });

  it("is a config that the backend takes", () => {
    const backend = declaring(["cwd", "tree.kill", "network.none", "isolate.pid", "mount.tmpfs"]);
    const { dropped } = resolve(parseConfig(maximumPossibleIsolation(backend)), backend, ANYWHERE);
    expect(dropped).toEqual([]);
  });
});

describe("what builds on a capability that is let go", () => {
  const lacking = (capability: Capability) =>
    ({ available: true, missing: [{ capability, reason: "not here" }] }) as const;
  const cases = [
    ["isolate.uts", "hostname", { hostname: "kit" }],
    ["mount.tmpfs", "mount.tmpfs.size", { mounts: [{ type: "tmpfs", target: "/t", size: 1 }] }],
  ] as const;

  it.each(cases)("%s: %s is never said to be enforced", (base, dependent, input) => {
    const backend = declaring(allCapabilities());
    const { needs, dropped } = resolve(parseConfig(input), backend, lacking(base), "all");
    expect(needs.map(({ capability }) => capability)).not.toContain(dependent);
    expect(dropped).toContainEqual(
      expect.objectContaining({ capability: dependent, reason: expect.stringContaining(base) }),
    );
  });

  it.each(cases)("%s: %s must be let go as well", async (base, dependent, input) => {
    const backend = declaring(allCapabilities());
    const error = await thrown(() => resolve(parseConfig(input), backend, lacking(base), [base]));
    expect(error).toMatchObject({ code: "CAPABILITY_UNSUPPORTED" });
    expect(error.message).toContain(dependent);
  });
});
