import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSandbox } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import { lock } from "../src/cache/lock.js";
import { openImage } from "../src/index.js";
import { archive } from "./support/archive.js";
import { backends } from "./support/backends.js";
import { rejection, temporary } from "./support/place.js";

/** Tries to open each file of a directory in every way and to lock it, and prints which it has locked. */
const ATTACK = `
  for file in "$1"/*; do
    chmod 600 "$file" 2>&-
    for how in '<' '>>' '<>'; do
      sh -c "exec 2>&-; exec 9$how '$file' && flock -n 9 && echo \${file##*/}"
    done
  done`;

const lacksFlock = realHost().which("flock") === undefined ? " (skipped: no flock)" : "";
/** Without chroot, below which a program of root can read every file. */
const tried = (await backends()).filter(({ backend }) => backend.name !== "chroot");

async function lockFile(directory: string): Promise<string> {
  const file = join(directory, "image.tar");
  writeFileSync(file, archive({ path: "a", body: "x" }));
  await openImage(file);
  const locks = join(directory, "cache/sandboxlib/locks");
  const [name = "", ...more] = readdirSync(locks);
  expect(more).toEqual([]);
  return join(locks, name);
}

describe.skipIf(lacksFlock !== "")(`a lock of the cache${lacksFlock}`, () => {
  for (const { backend, prefer, why } of tried)
    it.skipIf(why !== "")(`cannot be taken inside: ${backend.name}${why}`, async () => {
      const locks = join(await lockFile(temporary()), "..");
      // A program can lock a file that it can read. Otherwise this test would show nothing.
      writeFileSync(join(locks, "readable"), "", { mode: 0o600 });
      const config = { root: "/", cwd: "/", mounts: [] };
      const sandbox = await createSandbox(config, { backend, prefer });
      const { stdout } = await sandbox.run(["sh", "-c", ATTACK, "sh", locks]);
      expect(Buffer.from(stdout ?? []).toString()).toBe("readable\n");
    });

  it("of an earlier version that could be read is replaced, whoever holds it", async () => {
    const directory = temporary();
    const file = await lockFile(directory);
    chmodSync(file, 0o600);
    const holder = spawn("flock", [file, "sh", "-c", "echo locked; read -r end"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    const name = file.slice(-2);
    (await lock(join(file, ".."), name, {})).release();
    expect(statSync(file).mode & 0o777).toBe(0o200);
    holder.stdin.end();
  });

  it("is waited for until it is released, and whoever waits is told", async () => {
    const directory = temporary();
    const held = await lock(directory, "aa", {});
    const onWait = (path: string): void => {
      told.push(path);
      held.release();
    };
    const told: string[] = [];
    (await lock(directory, "aa", { onWait })).release();
    expect(told).toEqual([join(directory, "aa")]);
  });

  it("that is not released is waited for so long and no longer", async () => {
    const directory = temporary();
    const held = await lock(directory, "aa", {});
    const path = join(directory, "aa");
    const error = await rejection(lock(directory, "aa", {}, 100));
    expect([error.code, error.message]).toEqual([
      "IMAGE_INVALID",
      `${path} is still locked after 0.1 s`,
    ]);
    expect(error.hint).toContain(path);
    held.release();
    (await lock(directory, "aa", {}, 60_000)).release();
  });

  it("is not waited for once the caller has aborted", async () => {
    const directory = temporary();
    const held = await lock(directory, "aa", {});
    const controller = new AbortController();
    const onWait = (): void => controller.abort(new Error("enough"));
    const waiting = lock(directory, "aa", { signal: controller.signal, onWait });
    await expect(waiting).rejects.toThrow("enough");
    held.release();
  });
});
