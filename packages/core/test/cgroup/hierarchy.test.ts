import { expect, it } from "vitest";
import { findParents, hierarchies } from "../../src/cgroup/hierarchy.js";

const V1 = `31 23 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 31 0:30 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd`;
const OWN_V1 = "4:memory:/a/b\n3:cpu,cpuacct:/\n1:name=systemd:/x\n0::/";

it("a process's own directory is found in each hierarchy of version 1", () => {
  expect(
    hierarchies(V1, OWN_V1).map(({ mount, own, controllers }) => [mount, own, [...controllers]]),
  ).toEqual([
    ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", ["cpu", "cpuacct"]],
    ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/a/b", ["memory"]],
    ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd/x", []],
  ]);
});

it("a process's own directory is found in version 2, below what is mounted", () => {
  const mounted = "40 23 0:26 /machine/one /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";
  const own = (membership: string): string | undefined => hierarchies(mounted, membership)[0]?.own;
  expect(own("0::/machine/one")).toBe("/sys/fs/cgroup");
  expect(own("0::/machine/one/scope")).toBe("/sys/fs/cgroup/scope");
  expect(own("0::/machine")).toBeUndefined();
  expect(own("0::/machine/other")).toBeUndefined();
});

it("a mount point with a space is read", () => {
  const mounted = "40 23 0:26 / /sys/fs/c\\040group rw - cgroup2 cgroup2 rw";
  expect(hierarchies(mounted, "0::/")[0]?.mount).toBe("/sys/fs/c group");
});

it("a controller is used in the first hierarchy that has it", () => {
  const twice = `${V1}\n35 31 0:29 / /mnt/memory rw,relatime - cgroup cgroup rw,memory`;
  const parents = findParents(undefined, hierarchies(twice, OWN_V1));
  expect(parents.map(({ directory }) => directory)).toEqual([
    "/sys/fs/cgroup/cpu,cpuacct",
    "/sys/fs/cgroup/memory/a/b",
  ]);
});

it("a directory that is no cgroup is refused", () => {
  expect(() => findParents("/tmp", hierarchies(V1, OWN_V1))).toThrow(
    expect.objectContaining({ code: "PATH_INVALID", path: "cgroup" }),
  );
  expect(() => findParents("/sys/fs/cgroup/nowhere", hierarchies(V1, OWN_V1))).toThrow(
    expect.objectContaining({ code: "PATH_INVALID", path: "cgroup" }),
  );
});
