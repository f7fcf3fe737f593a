import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Probe, realHost } from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import { note, skip } from "./available.js";

const SCRIPT = `
import { realHost } from ${JSON.stringify(import.meta.resolve("@sandboxlib/core/backend"))};
import namespaces from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
console.log(JSON.stringify(await namespaces.probe(realHost())));`;

const NODE = [process.execPath, "--input-type=module", "-e", SCRIPT];

/** What the probe says in a user namespace in which the shell has changed something first. */
function probeAfter(script: string): Probe {
  const shell = ["--map-root-user", "--mount", "--", "sh", "-c", `${script} && exec "$@"`, "sh"];
  const { stdout, stderr } = spawnSync("unshare", [...shell, ...NODE], { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Probe;
}

/** What follows is run without a single capability: by root, or by another user. */
const AS_USER = 'set -- unshare --map-user=1000 --map-group=1000 -- "$@"';
const AS_POWERLESS_ROOT = 'set -- setpriv --bounding-set=-all --inh-caps=-all -- "$@"';

const title = `a real host${note}`;

describe.skipIf(skip || spawnSync("unshare", ["--map-root-user", "true"]).status !== 0)(
  title,
  () => {
    it("with user.max_user_namespaces at 0 lacks them, and is of no use without capabilities", () => {
      const forbid = "echo 0 >/proc/sys/user/max_user_namespaces";
      const cause = {
        reason: "user.max_user_namespaces is 0 (clone: ENOSPC)",
        remedy: "sudo sysctl -w user.max_user_namespaces=10000",
      };
      expect(probeAfter(forbid)).toMatchObject({
        available: true,
        missing: [
          { capability: "allow.user-namespaces", remedy: cause.remedy },
          { capability: "isolate.user", ...cause },
        ],
      });
      expect(probeAfter(`${forbid} && ${AS_POWERLESS_ROOT}`)).toEqual({
        available: false,
        ...cause,
      });
    });

    it("with user.max_net_namespaces at 0 lacks network.none", () => {
      expect(probeAfter("echo 0 >/proc/sys/user/max_net_namespaces")).toMatchObject({
        available: true,
        missing: [
          {
            capability: "network.none",
            reason: expect.stringContaining("user.max_net_namespaces is 0"),
          },
        ],
      });
    });

    it("with a root that has no capabilities is told what it takes", () => {
      expect(probeAfter(AS_POWERLESS_ROOT)).toEqual({
        available: false,
        reason: expect.stringContaining("root without CAP_SETFCAP"),
        remedy: expect.stringContaining("another user"),
      });
    });

    it("with parts of /proc covered lacks a procfs of its own", () => {
      // One procfs that shows everything is enough for the kernel, and another test may have
      // mounted it somewhere on this host: each of them is covered.
      const options = "remount,bind,ro,nosuid,nodev,noexec";
      const each = `mount --bind "$1/sys" "$1/sys" && mount -o ${options} "$1/sys"`;
      const cover = `findmnt -rno TARGET -t proc | xargs -n1 sh -ec '${each}' sh`;
      const found = probeAfter(`${cover} && ${AS_USER}`);
      const missing = ["isolate.user", "mount.proc"].map((capability) => ({
        capability,
        reason: expect.stringContaining("/proc/sys among them"),
        remedy: expect.stringContaining("systempaths=unconfined"),
      }));
      expect(found).toMatchObject({ available: true, missing: expect.arrayContaining(missing) });
    });

    const bwrap = realHost().which("bwrap");
    it.skipIf(bwrap === undefined)("with a filter of system calls around it is told so", () => {
      const directory = mkdtempSync(join(tmpdir(), "sandboxlib-filter-"));
      const file = join(directory, "filter");
      writeFileSync(file, noUserNamespaces());
      const fd = openSync(file, "r");
      try {
        const args = [
          "--unshare-user",
          "--cap-drop",
          "ALL",
          "--dev-bind",
          "/",
          "/",
          "--seccomp",
          "3",
          "--",
          ...NODE,
        ];
        const { stdout } = spawnSync(bwrap ?? "", args, {
          stdio: ["ignore", "pipe", "inherit", fd],
          encoding: "utf8",
        });
        expect(JSON.parse(stdout)).toEqual({
          available: false,
          reason: expect.stringMatching(
            /^a seccomp filter around this process .*\(clone: EPERM\)$/,
          ),
          remedy: expect.stringContaining("seccomp=unconfined"),
        });
      } finally {
        closeSync(fd);
        rmSync(directory, { recursive: true });
      }
    });
  },
);

/** A filter that refuses clone(2) with CLONE_NEWUSER, as Docker's does, and allows everything else. */
function noUserNamespaces(): Buffer {
  const [load, equal, anyBit, answer] = [0x20, 0x15, 0x45, 0x06];
  const [number, flags] = [0, 16];
  const clone = process.arch === "arm64" ? 220 : 56;
  const program = [
    [load, 0, 0, number],
    [equal, 0, 3, clone],
    [load, 0, 0, flags],
    [anyBit, 0, 1, 0x10000000],
    [answer, 0, 0, 0x00050001],
    [answer, 0, 0, 0x7fff0000],
  ] as const;
  return Buffer.concat(
    program.map(([code, then, otherwise, value]) => {
      const instruction = Buffer.alloc(8);
      instruction.writeUInt16LE(code, 0);
      instruction.writeUInt8(then, 2);
      instruction.writeUInt8(otherwise, 3);
      instruction.writeUInt32LE(value, 4);
      return instruction;
    }),
  );
}
