import { spawnSync } from "node:child_process";
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { archive } from "./support/archive.js";
import { temporary } from "./support/place.js";

const CALLER = join(import.meta.dirname, "open-caller.mjs");
const MINUTES = 10 * 60_000;
const MIB = 2 ** 20;

/** Unpacks an image with a file of this many bytes in a new process. @returns the most memory of the process, in MiB. */
function memoryFor(size: number): number {
  const directory = temporary();
  const file = join(directory, "image.tar");
  writeFileSync(file, archive({ path: "a", size }).subarray(0, 512));
  // A hole reads as zeros. It is the body of the file and the end of the archive.
  truncateSync(file, 512 + size + 1024);
  const { stdout, stderr } = spawnSync(process.execPath, [CALLER, file], { encoding: "utf8" });
  rmSync(join(directory, "cache"), { recursive: true, force: true });
  expect(stderr).toBe("");
  return JSON.parse(stdout).memory / 1024;
}

it(
  "unpacking takes no more memory for 2 GiB than for 128 MiB",
  () => {
    const small = memoryFor(128 * MIB);
    expect(memoryFor(2048 * MIB) - small).toBeLessThan(48);
  },
  MINUTES,
);
