import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { pidsWith } from "@sandboxlib/test-support";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, dropIn, makePlace, obstacle, type Place } from "./fixture.js";

const reason = obstacle();
const isRoot = process.getuid?.() === 0;
const checkout = join(import.meta.dirname, "../../..");
const SURVIVOR = 'trap "" HUP INT TERM; while :; do sleep 1; done';

describe.skipIf(reason !== undefined)(
  reason === undefined ? "safety" : `safety (skipped: ${reason})`,
  () => {
    let place: Place;
    beforeAll(() => {
      place = makePlace();
    });
    afterAll(() => place.remove());

    it("what the program leaves running is gone when it has ended", async () => {
      const marker = `${place.directory}-left`;
      const script = `sh -c '${SURVIVOR}' "$0" & exit 5`;
      expect(call(dropIn, [place.root, "sh", "-c", script, marker]).status).toBe(5);
      expect(await lasting(marker)).toEqual([]);
    });

    it("a signal that ends the command is passed on, and ends everything with it", async () => {
      for (const [signal, script] of [
        ["SIGTERM", 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 1; done'],
        ["SIGHUP", `echo ready; ${SURVIVOR}`],
        ["SIGKILL", `echo ready; ${SURVIVOR}`],
      ] as const) {
        const marker = `${place.directory}-${signal}`;
        const child = spawn(dropIn, [place.root, "sh", "-c", script, marker], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        const said = text(child.stdout);
        await once(child.stdout, "readable");
        child.kill(signal);
        expect(await once(child, "exit")).toEqual([null, signal]);
        expect(await lasting(marker)).toEqual([]);
        if (signal === "SIGTERM") expect(await said).toBe("ready\nbye\n");
      }
    });

    it("an fd of the caller reaches the program only where it is asked for", () => {
      const fd = openSync(place.path("source/file"), "r");
      const stdio = [
        "ignore",
        "pipe",
        "pipe",
        "ignore",
        "ignore",
        "ignore",
        "ignore",
        "ignore",
        fd,
      ] as const;
      const cat = (env: NodeJS.ProcessEnv) =>
        spawnSync(dropIn, [place.root, "sh", "-c", "cat <&8"], {
          stdio: [...stdio],
          encoding: "utf8",
          env: { PATH: process.env["PATH"], ...env },
        });
      try {
        expect(cat({ SANDBOXLIB_PASS_FDS: "8" }).stdout).toBe("source\n");
        expect(cat({}).stdout).toBe("");
        expect(cat({ SANDBOXLIB_PASS_FDS: "3" }).stderr).toBe(
          'SANDBOXLIB_PASS_FDS: "3" is no open fd from 6 to 9\n',
        );
      } finally {
        closeSync(fd);
      }
    });

    it("the backend that runs this command is never used", () => {
      const env = { SANDBOXLIB_BACKEND: "linux-user-chroot", SANDBOXLIB_LINUX_USER_CHROOT: dropIn };
      expect(call(dropIn, [place.root, "sh", "-c", "exit 7"], { env }).status).toBe(7);
      const unknown = call(dropIn, [place.root, "sh"], { env: { SANDBOXLIB_BACKEND: "no-such" } });
      expect([unknown.status, unknown.stderr]).toEqual([
        1,
        "no-such: no such backend is installed\n",
      ]);
    });

    it.skipIf(!isRoot)("through the backend chroot, no privileges can be gained either", () => {
      const env = { SANDBOXLIB_BACKEND: "chroot" };
      const script = "grep NoNewPrivs /proc/self/status; id -u; exit 7";
      const { status, stdout } = call(
        dropIn,
        ["--mount-proc", "/proc", place.root, "sh", "-c", script],
        { env },
      );
      expect([status, stdout]).toEqual([7, "NoNewPrivs:\t1\n0\n"]);
    });

    it("what no backend can do is refused", () => {
      const env = { SANDBOXLIB_BACKEND: "chroot" };
      const { status, stderr } = call(dropIn, ["--mount-readonly", "/", place.root, "sh"], { env });
      expect(status).toBe(1);
      expect(stderr).toMatch(isRoot ? /writable\.paths.*\nhint: Install a backend/ : /needs root/);
    });

    it.skipIf(!isRoot)("the group 0 is replaced by the number of the uid", () => {
      // The checkout may lie where that uid cannot enter.
      const reachable = place.path("checkout");
      mkdirSync(reachable);
      expect(spawnSync("mount", ["-o", "bind,ro", checkout, reachable]).status).toBe(0);
      try {
        const command = join(reachable, relative(checkout, dropIn));
        const { stdout, stderr } = spawnSync(
          process.execPath,
          [command, place.root, "sh", "-c", "id -u; id -g"],
          { uid: 61_234, gid: 0, encoding: "utf8" },
        );
        expect(stdout, stderr).toBe("61234\n61234\n");
      } finally {
        spawnSync("umount", [reachable]);
      }
    });

    it.skipIf(!isRoot)(
      "a file system that is mounted below a read-only directory is read-only as well",
      () => {
        const at = place.path("root/work/sub");
        mkdirSync(at);
        expect(spawnSync("mount", ["-t", "tmpfs", "tmpfs", at]).status).toBe(0);
        try {
          for (const readOnly of ["/", "/work", "/work/sub"]) {
            const args = [
              "--mount-readonly",
              readOnly,
              place.root,
              "sh",
              "-c",
              "echo x > /work/sub/x",
            ];
            expect(call(dropIn, args).stderr).toMatch(/Read-only file system/);
          }
          expect(readdirSync(at)).toEqual([]);
        } finally {
          spawnSync("umount", [at]);
        }
      },
    );
  },
);

/** The processes of this host with the marker in their arguments, after a while in which they may end. */
async function lasting(marker: string): Promise<number[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (pidsWith(`${marker}\0`).length === 0) return [];
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return pidsWith(`${marker}\0`);
}
