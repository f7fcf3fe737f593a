import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxUserChrootAt } from "@sandboxlib/backend-linux-user-chroot";
import { realHost } from "@sandboxlib/core/backend";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dropIn, installed, original } from "./fixture.js";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sandboxlib-luc-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const probeAt = (path: string) => linuxUserChrootAt(path).probe(realHost());

describe("the probe", () => {
  it("says that the program which was named cannot be trusted, and why", async () => {
    const written = join(directory, "written");
    writeFileSync(written, "#!/bin/sh\n");
    chmodSync(written, 0o777);
    for (const [path, reason] of [
      ["linux-user-chroot", "is not an absolute path"],
      [join(directory, "none"), "does not exist"],
      [directory, "is not a program"],
      [written, "can be written by others"],
    ] as const)
      expect(await probeAt(path)).toMatchObject({
        available: false,
        reason: expect.stringContaining(reason),
      });
  });

  it("says that a program which is something else is too old, or does not work", async () => {
    expect(await probeAt("/bin/false")).toMatchObject({
      available: false,
      reason: expect.stringContaining("is too old, or does not work"),
      remedy: expect.stringContaining("@sandboxlib/linux-user-chroot"),
    });
  });

  it.skipIf(original === undefined || process.getuid?.() === 0)(
    "says that the original is not setuid root, and how to change that",
    async () => {
      const copy = join(directory, "copy");
      copyFileSync(original ?? "", copy);
      chmodSync(copy, 0o755);
      expect(await probeAt(copy)).toMatchObject({
        available: false,
        reason: expect.stringContaining("is not installed setuid root"),
        remedy: `sudo chown root:root ${copy} && sudo chmod 4755 ${copy}`,
      });
    },
  );

  it("refuses a user in the group 0, who would not keep it", async () => {
    const host = { ...realHost(), uid: process.getuid?.() || 1234, gid: 0 };
    expect(
      await linuxUserChrootAt("/bin/true").probe({ ...host, uid: host.uid === 0 ? 1 : host.uid }),
    ).toMatchObject({
      available: false,
    });
  });
});

describe("the command line, without the program", () => {
  const cli = (name: "run-sandbox" | "sandboxlib", args: readonly string[], program: string) =>
    spawnSync(installed(name), args, {
      env: { PATH: process.env["PATH"], SANDBOXLIB_LINUX_USER_CHROOT: program },
      encoding: "utf8",
    });

  it("run-sandbox names the reason and the remedy, with exit code 125", () => {
    const args = ["--backend", "linux-user-chroot", directory, "--", "true"];
    const { status, stderr } = cli("run-sandbox", args, "/no/such/program");
    expect(status).toBe(125);
    expect(stderr).toMatch(/^sandboxlib: .*does not exist\nhint: Give the absolute path/);
  });

  it("doctor names the reason and the remedy", () => {
    const { stdout } = cli("sandboxlib", ["doctor"], "/no/such/program");
    expect(stdout).toMatch(
      /no {4}linux-user-chroot: .*does not exist\n {6}fix: Give the absolute path/,
    );
  });

  it("doctor says that the drop-in is there", () => {
    const { stdout } = cli("sandboxlib", ["doctor"], dropIn);
    expect(stdout).toMatch(/ok {4}linux-user-chroot \(linux-user-chroot 2015\.1\)/);
  });
});
