import { expect, it } from "vitest";
import { coverCgroups } from "../src/cgroup/cover.js";
import { hierarchies } from "../src/cgroup/hierarchy.js";
import type { ResolvedConfig, ResolvedMount } from "../src/index.js";

const V2 = hierarchies("40 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", "0::/");
const V1 = hierarchies(
  "40 23 0:26 / /sys/fs/cgroup/pids rw - cgroup c rw,pids\n41 23 0:27 / /sys/fs/cgroup/memory rw - cgroup c rw,memory",
  "2:pids:/\n1:memory:/",
);

function covers(config: Partial<ResolvedConfig>, mayBind = true, found = V2): string[] {
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
  return coverCgroups(plain, mayBind, found)
    .mounts.filter(({ path }) => path === "limits")
    .map(({ type, target }) => `${type} ${target}`);
}

function bind(source: string, target: string, readOnly: boolean): ResolvedMount {
  const rest = { path: "mounts[0]", create: false, kind: "directory" } as const;
  return { type: "bind", source, target, readOnly, ...rest };
}

it("cgroups that the program could write to become read-only", () => {
  expect(covers({ rootReadOnly: false })).toEqual(["bind /sys/fs/cgroup"]);
  expect(covers({ mounts: [bind("/sys", "/mnt", false)] })).toEqual(["bind /mnt/fs/cgroup"]);
  expect(covers({ rootReadOnly: false }, true, V1)).toEqual(["bind /sys/fs/cgroup"]);
});

it("a backend without read-only binds gets an empty directory over them", () => {
  expect(covers({ rootReadOnly: false }, false)).toEqual(["tmpfs /sys/fs/cgroup"]);
});

it("nothing is covered where nothing can be written, or where a mount of the config lies over it", () => {
  expect(covers({})).toEqual([]);
  expect(covers({ root: "/srv", rootReadOnly: false })).toEqual([]);
  expect(covers({ mounts: [bind("/sys", "/mnt", true)] })).toEqual([]);
  expect(covers({ rootReadOnly: false, mounts: [bind("/srv", "/sys", true)] })).toEqual([]);
  expect(covers({ mounts: [bind("/sys/fs/cgroup/own", "/mnt", false)] })).toEqual([]);
});
