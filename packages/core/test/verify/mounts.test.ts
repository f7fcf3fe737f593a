import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HostMounts, parseMountinfo } from "../../src/host/mountinfo.js";
import type { ResolvedConfig, ResolvedMount } from "../../src/index.backend.js";
import { findingsOf } from "../../src/verify/mounts.js";
import { findingsIn } from "../../src/verify/remembered.js";
import type { Finding } from "../../src/verify/sight.js";

const HOST = new HostMounts(
  parseMountinfo(`27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw
22 27 0:21 / /proc rw - proc proc rw
30 27 0:27 / /dev/shm rw - tmpfs tmpfs rw`),
);

const on = (path: string, target: string): Pick<ResolvedMount, "path" | "target" | "create"> => ({
  path,
  target,
  create: false,
});
const MOUNTS: readonly ResolvedMount[] = [
  { ...on("mounts[0]", "/proc"), type: "proc" },
  { ...on("mounts[1]", "/dev"), type: "dev" },
  { ...on("mounts[2]", "/tmp"), type: "tmpfs", size: 1_000_000 },
  { ...on("mounts[3]", "/src"), type: "bind", source: "/srv/a", kind: "directory", readOnly: true },
  {
    ...on("writable[0]", "/w"),
    type: "bind",
    source: "/srv/root/w",
    kind: "directory",
    readOnly: false,
  },
  { ...on("hidden[0]", "/key"), type: "mask", kind: "file" },
  { ...on("hidden[1]", "/keys"), type: "mask", kind: "directory" },
];
const CONFIG: ResolvedConfig = {
  root: "/srv/root",
  rootReadOnly: true,
  mounts: MOUNTS,
  mirrors: [],
  cwd: "/",
  env: {},
  network: "none",
  isolate: new Set(["mount"]),
  limits: {},
};

const FLAGS = "nosuid,nodev,relatime";
const RIGHT = `300 299 254:0 /srv/root / ro,${FLAGS} - ext4 /dev/vda rw
301 300 0:45 / /proc rw,${FLAGS} - proc proc rw
302 300 0:46 / /dev rw,${FLAGS} - tmpfs none rw,mode=755
${["null", "zero", "full", "random", "urandom", "tty"]
  .map((name, index) => `31${index} 302 0:6 /${name} /dev/${name} ro,nosuid - devtmpfs devtmpfs rw`)
  .join("\n")}
303 300 0:47 / /tmp rw,${FLAGS} - tmpfs none rw,size=980k
304 300 254:0 /srv/a /src ro,${FLAGS} - ext4 /dev/vda rw
305 300 254:0 /srv/root/w /w rw,${FLAGS} - ext4 /dev/vda rw
306 300 0:6 /null /key ro,${FLAGS} - devtmpfs devtmpfs rw
307 300 0:48 / /keys ro,${FLAGS} - tmpfs none ro,mode=111`;

/** Nobody has this pid. */
const NOBODY = 2 ** 30;

function wrong(table: string, config = CONFIG): string[] {
  return wrongOnes(findingsOf(config, NOBODY, parseMountinfo(table), HOST));
}

function wrongOnes(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ isRight }) => isRight === false)
    .map(({ capability, path }) => `${capability} ${path}`);
}

describe("what the table of mounts shows", () => {
  it("is right where everything is as it was asked for", () => {
    expect(wrong(RIGHT)).toEqual([]);
    expect(
      findingsOf(CONFIG, NOBODY, parseMountinfo(RIGHT), HOST).map((each) => each.isRight),
    ).not.toContain(undefined);
  });

  const LIES: readonly [what: string, found: string, edit: (table: string) => string][] = [
    ["another root", "root root", (t) => t.replace("/srv/root / ro", "/srv / ro")],
    [
      "a root that can be written to",
      "writable.paths writable",
      (t) => t.replace("/ / ro", "/ / rw").replace("/srv/root / ro", "/srv/root / rw"),
    ],
    [
      "a submount that can be written to",
      "writable.paths writable",
      (t) => `${t}\n320 300 0:27 / /x rw - tmpfs tmpfs rw`,
    ],
    ["no mount", "hidden hidden[0]", (t) => t.replace(/^306.*\n/m, "")],
    [
      "something else on a hidden file",
      "hidden hidden[0]",
      (t) => t.replace("/null /key", "/zero /key"),
    ],
    [
      "a device that can be opened on a hidden file",
      "hidden hidden[0]",
      (t) => t.replace(`/null /key ro,${FLAGS}`, "/null /key ro"),
    ],
    [
      "a hidden directory with a file system of the host",
      "hidden hidden[1]",
      (t) => t.replace("0:48", "0:27"),
    ],
    [
      "a hidden directory that can be written to",
      "hidden hidden[1]",
      (t) => t.replace("/keys ro", "/keys rw").replace("ro,mode=111", "rw,mode=111"),
    ],
    [
      "something that lies on a hidden directory",
      "hidden hidden[1]",
      (t) => `${t}\n330 307 254:0 /srv/root/keys /keys ro - ext4 /dev/vda rw`,
    ],
    ["a tmpfs of the host", "mount.tmpfs mounts[2]", (t) => t.replace("0:47", "0:27")],
    ["a tmpfs that is read-only", "mount.tmpfs mounts[2]", (t) => t.replace("/tmp rw", "/tmp ro")],
    [
      "a tmpfs without a size",
      "mount.tmpfs.size mounts[2].size",
      (t) => t.replace(",size=980k", ""),
    ],
    [
      "a tmpfs that is larger",
      "mount.tmpfs.size mounts[2].size",
      (t) => t.replace("980k", "9800k"),
    ],
    ["another directory", "mount.bind mounts[3]", (t) => t.replace("/srv/a ", "/srv/b ")],
    [
      "the same path of another file system",
      "mount.bind mounts[3]",
      (t) => t.replace("254:0 /srv/a", "254:1 /srv/a"),
    ],
    [
      "a bind that can be written through",
      "mount.bind.readOnly mounts[3].readOnly",
      (t) => t.replace("/src ro", "/src rw"),
    ],
    [
      "a submount of a bind that can be written through",
      "mount.bind.readOnly mounts[3].readOnly",
      (t) => `${t}\n340 304 0:27 / /src/x rw - tmpfs tmpfs rw`,
    ],
    ["the host's procfs", "mount.proc mounts[0]", (t) => t.replace("0:45", "0:21")],
    [
      "the host's devices",
      "mount.dev mounts[1]",
      (t) => t.replace("0:46 / /dev rw", "0:6 / /dev rw"),
    ],
    [
      "another device",
      "mount.dev mounts[1]",
      (t) => t.replace("/zero /dev/zero", "/mem /dev/zero"),
    ],
    ["the host's own mounts", "isolate.mount isolate", (t) => t.replace("300 299", "27 299")],
  ];
  for (const [what, found, edit] of LIES)
    it(`is wrong with ${what}`, () => {
      expect(edit(RIGHT)).not.toBe(RIGHT);
      expect(wrong(edit(RIGHT))).toContain(found);
    });

  describe("after a sandbox of the same config in which nothing was wrong", () => {
    const config = { ...CONFIG };
    const found = (table: string): readonly Finding[] => findingsIn(config, NOBODY, table, HOST);
    /** The kernel gives a later sandbox other numbers. */
    const later = (table: string): string =>
      table.replaceAll(/\b3(\d\d)\b/g, "4$1").replaceAll(/\b0:4(\d) /g, "0:6$1 ");

    it("finds the same in a table with other numbers", () => {
      const first = found(RIGHT);
      expect(found(later(RIGHT)).map((each, index) => each === first[index])).toContain(true);
      expect(found(later(RIGHT)).map((each) => each.isRight)).toEqual(
        first.map(({ isRight }) => isRight),
      );
    });

    for (const [what, lie, edit] of LIES)
      it(`is wrong with ${what}`, () => {
        expect(wrongOnes(found(RIGHT))).toEqual([]);
        expect(wrongOnes(found(edit(RIGHT)))).toContain(lie);
        const table = edit(RIGHT);
        expect(wrongOnes(found(RIGHT))).toEqual([]);
        if (lie !== "isolate.mount isolate") expect(wrongOnes(found(later(table)))).toContain(lie);
      });

    it("is wrong where mounts lie on one another in another order", () => {
      const over = "330 307 254:0 /srv/root/keys /keys ro - ext4 /dev/vda rw";
      const under = "330 300 254:0 /srv/root/keys /keys ro - ext4 /dev/vda rw";
      const table = RIGHT.replace("307 300", "307 330");
      expect(wrongOnes(found(`${table}\n${under}`))).toEqual([]);
      expect(wrongOnes(found(`${RIGHT}\n${over}`))).toEqual(["hidden hidden[1]"]);
    });

    it("looks again at what the table does not settle", () => {
      const procfs = (pid: number): boolean | undefined =>
        findingsIn(config, pid, RIGHT, HOST).find(({ capability }) => capability === "mount.proc")
          ?.isRight;
      expect(procfs(NOBODY)).toBe(true);
      expect(procfs(process.pid)).toBe(false);
    });

    it("holds a table against what the host has mounted since", () => {
      found(RIGHT);
      const since = new HostMounts(
        parseMountinfo("27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:47 / /x rw - tmpfs x rw"),
      );
      expect(wrongOnes(findingsIn(config, NOBODY, RIGHT, since))).toContain(
        "mount.tmpfs mounts[2]",
      );
    });
  });

  describe("with a directory of the run's own in the place of a tmpfs", () => {
    const config = { ...CONFIG };
    const bound = "303 300 254:0 /var/tmp/own/run-1/tmp /tmp rw - ext4 /dev/vda rw";
    const table = RIGHT.replace(/^303 .*$/m, bound);
    const found = (text: string, run: string): string[] =>
      wrongOnes(
        findingsIn(config, NOBODY, text, HOST, new Map([["/tmp", `/var/tmp/own/${run}/tmp`]])),
      );

    it("is right with a bind of that directory, and claims no size", () => {
      expect(found(table, "run-1")).toEqual([]);
      const own = new Map([["/tmp", "/var/tmp/own/run-1/tmp"]]);
      const words = findingsIn(config, NOBODY, table, HOST, own).map(
        ({ capability }) => capability,
      );
      expect([words.includes("mount.tmpfs"), words.includes("mount.tmpfs.size")]).toEqual([
        true,
        false,
      ]);
    });

    it.each([
      ["that of an earlier run", table, "run-2"],
      ["a directory beside it", table.replace("run-1/tmp ", "run-1/other "), "run-1"],
      ["a read-only bind", table.replace("/tmp rw - ext4", "/tmp ro - ext4"), "run-1"],
      ["a tmpfs", RIGHT, "run-1"],
      ["nothing", table.replace(/^303 .*\n/m, ""), "run-1"],
    ])("is wrong with %s", (_, text, run) => {
      expect(found(table, "run-1")).toEqual([]);
      expect(found(text, run)).toContain("mount.tmpfs mounts[2]");
    });
  });

  it("says nothing of a mount in a directory that nobody may enter", () => {
    const directory = mkdtempSync(join(tmpdir(), "sandboxlib-verify-"));
    const config = { ...CONFIG, root: directory };
    const table = RIGHT.replace("/srv/root / ro", `${directory} / ro`);
    const findings = (at: string): (boolean | undefined)[] =>
      findingsOf(
        config,
        NOBODY,
        parseMountinfo(`${table}\n320 300 0:27 / ${at} rw - tmpfs tmpfs rw`),
        HOST,
      )
        .filter(({ path }) => path === "writable")
        .map(({ isRight }) => isRight);
    for (const mode of [0o755, 0o600]) {
      mkdirSync(join(directory, String(mode)));
      chmodSync(join(directory, String(mode)), mode);
    }
    chmodSync(directory, 0o755);
    expect(findings(`/${0o755}/x`)).toEqual([true, false]);
    expect(findings(`/${0o600}/x`)).toEqual([true, undefined]);
    rmSync(directory, { recursive: true });
  });

  it("says nothing of a source that was replaced in the meantime", () => {
    const findings = findingsOf(
      CONFIG,
      NOBODY,
      parseMountinfo(RIGHT.replace("/srv/a ", "/srv/a//deleted ")),
      HOST,
    );
    expect(findings.find(({ capability }) => capability === "mount.bind")?.isRight).toBeUndefined();
  });

  it("looks below a mirror, which covers what is mounted on its own target", () => {
    const mirrored = { ...CONFIG, mirrors: [{ target: "/src", path: "mounts[4]" }] };
    const mirror = "350 304 0:50 / /src ro - tmpfs none ro";
    expect(wrong(`${RIGHT}\n${mirror}`, mirrored)).toEqual([]);
    expect(wrong(`${RIGHT.replace("/srv/a ", "/srv/b ")}\n${mirror}`, mirrored)).toEqual([
      "mount.bind mounts[3]",
    ]);
    expect(wrong(`${RIGHT}\n${mirror.replace("0:50", "0:27")}`, mirrored)).toEqual([
      "mount.create mounts[4]",
    ]);
  });
});
