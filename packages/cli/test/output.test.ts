import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, runSandbox } from "./support/cli.js";
import { scratch } from "./support/scratch.js";

/** Runs a line of the shell, in which $SANDBOXLIB and $RUN_SANDBOX are the two commands. */
function shell(script: string): { status: number | null; stdout: string; stderr: string } {
  const commands = { SANDBOXLIB: BIN.sandboxlib, RUN_SANDBOX: BIN["run-sandbox"] };
  const env = { ...process.env, ...commands, NODE: process.execPath };
  return spawnSync("bash", ["-c", script], { encoding: "utf8", env, cwd: "/" });
}

test.each(["schema", "backends", "--help", "--version"])(
  "`sandboxlib %s` fails when its output cannot be written",
  (word) => {
    const { status, stderr } = shell(`"$NODE" "$SANDBOXLIB" ${word} > /dev/full`);
    expect([status, stderr]).toEqual([
      125,
      "sandboxlib: standard output cannot be written: ENOSPC: no space left on device, write\n",
    ]);
  },
);

test("a reader that stops reading is no error", () => {
  const script =
    'set -o pipefail; "$NODE" "$SANDBOXLIB" schema | head -c 1; echo "${PIPESTATUS[0]}"';
  expect(shell(script)).toMatchObject({ stdout: "{0\n", stderr: "" });
});

await describeWith("namespaces", "standard error that cannot be written", () => {
  const run = '"$NODE" "$RUN_SANDBOX" --backend namespaces --cwd / --timeout 0.2 -- sleep 60';

  test("leaves the exit code of a run as it is", () => {
    expect(shell(`${run} 2> /dev/full`).status).toBe(124);
  });

  test("makes a success a failure", () => {
    const verbose = '"$NODE" "$RUN_SANDBOX" --backend namespaces --cwd / --verbose -- true';
    expect(shell(`${verbose} 2> /dev/full`).status).toBe(125);
  });
});

await describeWith("namespaces", "options that an image of another format would ignore", () => {
  test.each([
    ["--volume", "work=/srv", "aci"],
    ["--images", "/srv", "aci"],
    ["--tag", "latest", "oci or docker"],
    ["--platform", "linux/amd64", "oci or docker"],
  ])("%s is refused", async (option, value, formats) => {
    const directory = scratch();
    mkdirSync(join(directory, "root/bin"), { recursive: true });
    writeFileSync(join(directory, "root/file"), "");
    const tar = join(directory, "image.tar");
    spawnSync("tar", ["-C", join(directory, "root"), "-cf", tar, "bin", "file"]);
    const env = { XDG_CACHE_HOME: join(directory, "cache") };
    const { exitCode, stderr } = await runSandbox([option, value, tar, "true"], { env });
    expect([exitCode, stderr]).toEqual([
      2,
      `sandboxlib: ${option}: is for images of the format ${formats}, and this one is tar\n`,
    ]);
  });
});
