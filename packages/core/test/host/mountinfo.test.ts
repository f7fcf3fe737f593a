import { describe, expect, it } from "vitest";
import { HostMounts, isReadOnly, mountsOf, parseMountinfo } from "../../src/host/mountinfo.js";

/** As a kernel told it: a second devpts over the first, and a directory bound over a part of itself. */
const RECORDED = `27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
24 27 0:6 / /dev rw,relatime master:3 propagate_from:2 - devtmpfs devtmpfs rw,size=4k
26 24 0:24 / /dev/pts rw - devpts devpts rw
29 26 0:26 / /dev/pts ro - devpts devpts rw,mode=600
40 27 254:0 /srv/a\\040b /mnt/x\\134y rw - ext4 /dev/vda rw
41 40 0:30 / /mnt/x\\134y/deep rw - tmpfs none ro,size=1000k
`;

describe("a table of mounts", () => {
  const table = parseMountinfo(RECORDED);
  const idOf = (path: string): string | undefined => table.mountOf(path)?.id;

  it("tells in which mount a path lies, the topmost where several lie on one another", () => {
    expect(["/", "/dev", "/dev/null", "/dev/pts/3", "/developer"].map(idOf)).toEqual([
      "27",
      "24",
      "24",
      "29",
      "27",
    ]);
  });

  it("has spaces and backslashes as they are", () => {
    expect(table.mountOf("/mnt/x\\y/file")).toMatchObject({ root: "/srv/a b", at: "/mnt/x\\y" });
    expect(idOf("/mnt/x\\y/deep/file")).toBe("41");
  });

  it("tells what is read-only, the mount or the file system", () => {
    expect(["24", "29", "41"].map((id) => table.entries.find((each) => each.id === id))).toEqual([
      expect.not.objectContaining({ options: expect.stringMatching(/^ro/) }),
      expect.objectContaining({ options: "ro" }),
      expect.objectContaining({ superOptions: "ro,size=1000k" }),
    ]);
    expect(table.entries.filter(isReadOnly).map(({ id }) => id)).toEqual(["29", "41"]);
  });

  it("tells where a path leads to in its file system", () => {
    const host = new HostMounts(table);
    expect(host.originOf("/mnt/x\\y/file")).toEqual({ device: "254:0", root: "/srv/a b/file" });
    expect(host.originOf("/")).toEqual({ device: "254:0", root: "/" });
  });

  it("finds what lies on the root of a process that was moved there later", () => {
    const moved = parseMountinfo(`27 1 254:0 / / rw - ext4 /dev/vda rw
30 27 254:0 /proc /proc rw - proc proc rw
50 27 254:0 /srv/root / rw - ext4 /dev/vda rw
51 50 0:40 / /proc rw - proc proc rw`);
    expect([moved.root?.id, moved.mountOf("/")?.id, moved.mountOf("/proc")?.id]).toEqual([
      "27",
      "50",
      "51",
    ]);
  });

  it("tells nothing where the root of a process is no mount", () => {
    const inside = parseMountinfo("51 50 0:40 / /proc rw - proc proc rw");
    expect(inside.mountOf("/proc/1")).toBeUndefined();
  });

  it("is read of this process, and of none that is gone", () => {
    expect(mountsOf("self")?.entries.length).toBeGreaterThan(0);
    expect(mountsOf(2 ** 30)).toBeUndefined();
  });
});
