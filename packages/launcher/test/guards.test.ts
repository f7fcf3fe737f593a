import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, realpathSync, writeSync } from "node:fs";
import { skipOrRequire } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import { findLauncher } from "../lib/index.js";

const launcher = findLauncher();
const reason = "path" in launcher ? undefined : launcher.reason;
const { skip, note: why } = skipOrRequire("namespaces", reason);
const path = "path" in launcher ? launcher.path : "";
const program = realpathSync("/bin/sleep");

describe.skipIf(skip)(`a copy that the launcher makes of a program${why}`, () => {
  it("holds the same bytes, can be executed, and nobody can change it", async () => {
    const { child, copy } = await clone();
    try {
      expect(readFileSync(copy).equals(readFileSync(program))).toBe(true);
      const file = openSync(copy, "r+");
      expect(() => writeSync(file, "x")).toThrow("EPERM");
      closeSync(file);
      expect(spawnSync(copy, ["0"])).toMatchObject({ status: 0, signal: null });
    } finally {
      await ended(child);
    }
  });

  it.each([
    ["/nowhere", "open: errno 2\n"],
    ["/", "it is no regular file: errno 22\n"],
  ])("is refused of %s", (file, reason) => {
    const { status, stderr } = spawnSync(path, ["clone", file], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 1, stderr: reason });
  });
});

const READ_ONLY = `
[ "$0" = name ] || exit 3
! chmod "$(stat -c %a /dev/null)" /dev/null 2>/dev/null || exit 4
echo word >/dev/null && [ -z "$(head -c 1 /dev/zero | tr -d '\\0')" ]`;

const unshare = spawnSync("unshare", ["--mount", "true"]);

describe.skipIf(why !== "" || unshare.status !== 0)(
  `a program with a read-only /dev${why}${unshare.status === 0 ? "" : " (skipped: no mount namespaces here)"}`,
  () => {
    it("can use the devices, and change nothing of them", () => {
      const words = ["read-only-dev", "/bin/sh", "-c", READ_ONLY, "name"];
      const { status, stderr } = spawnSync(path, words, { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    });

    it("is not there when it is no program", () => {
      const { status, stderr } = spawnSync(path, ["read-only-dev", "/"], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 1, stderr: "execve: errno 13\n" });
    });
  },
);

async function clone(): Promise<{ child: ChildProcess; copy: string }> {
  const child = spawn(path, ["clone", program], { env: {} });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, copy: `/proc/${child.pid}/fd/${Number(line.toString())}` };
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  expect(await once(child, "exit")).toEqual([0, null]);
}
