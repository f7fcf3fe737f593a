import { expect, it } from "vitest";
import { parseMountinfo } from "../../src/host/mountinfo.js";
import type { ResolvedConfig, ResolvedMount } from "../../src/index.backend.js";
import { maskHost } from "../../src/paths/mask.js";

const ROOT = `27 1 254:0 / / rw - ext4 /dev/vda rw
22 27 0:21 / /proc rw - proc proc rw
23 27 0:22 / /sys rw - sysfs sysfs rw
`;
const V2 = parseMountinfo(`${ROOT}40 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw`);
const V1 = parseMountinfo(`${ROOT}39 23 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw
40 39 0:26 / /sys/fs/cgroup/pids rw - cgroup c rw,pids
41 39 0:27 / /sys/fs/cgroup/unified rw - cgroup2 c rw
42 27 0:28 / /mnt/a rw - cgroup c rw,memory
43 27 0:29 / /mnt/b rw - cgroup c rw,cpu`);

function masked(
  config: Partial<ResolvedConfig>,
  table = V2,
  type: Parameters<typeof maskHost>[1] = "mask",
): string[] {
  const plain = {
    root: "/",
    rootReadOnly: true,
    mounts: [],
    mirrors: [],
    cwd: "/",
    env: {},
    network: "none",
    isolate: new Set(),
    limits: {},
    ...config,
  } as ResolvedConfig;
  return maskHost(plain, type, table).mounts.map(
    (mount) => `${mount.type} ${mount.target} ${mount.path}${mount.create ? " made" : ""}`,
  );
}

function bind(source: string, target: string): ResolvedMount {
  const rest = { path: "mounts[0]", create: false, kind: "directory", readOnly: true } as const;
  return { type: "bind", source, target, ...rest };
}

it("cgroups of the host are masked wherever they are shown, read-only or not", () => {
  expect(masked({})).toEqual(["mask /sys/fs/cgroup root"]);
  expect(masked({ rootReadOnly: false })).toEqual(["mask /sys/fs/cgroup root"]);
  expect(masked({ root: "/srv", mounts: [bind("/sys", "/x")] })).toEqual([
    "bind /x mounts[0]",
    "mask /x/fs/cgroup mounts[0]",
  ]);
  expect(masked({}, V2, "tmpfs")).toEqual(["tmpfs /sys/fs/cgroup root"]);
});

it("hierarchies side by side are masked as one, and others leave their neighbours alone", () => {
  expect(masked({}, V1)).toEqual([
    "mask /mnt/a root",
    "mask /mnt/b root",
    "mask /sys/fs/cgroup root",
  ]);
});

it("nothing is masked where nothing is shown, or a mount of the config lies over it", () => {
  expect(masked({ root: "/srv" })).toEqual([]);
  expect(masked({ mounts: [bind("/srv", "/sys")] })).toEqual(["bind /sys mounts[0]"]);
  expect(masked({ mounts: [bind("/srv", "/sys/fs/cgroup")] })).toEqual([
    "bind /sys/fs/cgroup mounts[0]",
  ]);
});

it("a procfs of the host is masked where the config wants to see no process of the host", () => {
  const isolate = new Set(["pid"] as const);
  expect(masked({ isolate })).toEqual(["mask /proc root", "mask /sys/fs/cgroup root"]);
  const proc = { type: "proc", target: "/proc", path: "mounts[0]", create: false } as const;
  expect(masked({ isolate, mounts: [proc] })).toEqual([
    "proc /proc mounts[0]",
    "mask /sys/fs/cgroup root",
  ]);
});

it("what lies below a mask is made in it, and is hidden without being hidden", () => {
  const hide = { type: "mask", path: "hidden[0]", create: false, kind: "directory" } as const;
  const mounts = [bind("/srv", "/sys/fs/cgroup/x"), { ...hide, target: "/sys/fs/cgroup/y" }];
  expect(masked({ mounts })).toEqual([
    "mask /sys/fs/cgroup root",
    "bind /sys/fs/cgroup/x mounts[0] made",
  ]);
});

it("a bind or a root in a hierarchy, or among the host's processes, is refused by its field", () => {
  const isolate = new Set(["pid"] as const);
  const failing = (config: Partial<ResolvedConfig>, table = V2): (() => unknown) => {
    return () => masked({ root: "/srv", isolate, ...config }, table);
  };
  for (const source of ["/sys/fs/cgroup", "/sys/fs/cgroup/own", "/proc", "/proc/1", "/proc/1/root"])
    expect(failing({ mounts: [bind(source, "/x")] })).toThrow(
      expect.objectContaining({ code: "PATH_INVALID", path: "mounts[0].source" }),
    );
  for (const source of ["/sys/fs/cgroup", "/sys/fs/cgroup/pids", "/mnt/a/x"])
    expect(failing({ mounts: [bind(source, "/x")] }, V1)).toThrow();
  expect(failing({ root: "/sys/fs/cgroup" })).toThrow(
    expect.objectContaining({ code: "PATH_INVALID", path: "root" }),
  );
  for (const source of ["/proc/meminfo", "/proc/sys", "/sys/fs/cgroups", "/mnt"])
    expect(failing({ mounts: [bind(source, "/x")] })).not.toThrow();
});
