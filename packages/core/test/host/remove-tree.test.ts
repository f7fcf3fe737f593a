import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { removeTree } from "../../src/host/remove-tree.js";
import { temporary } from "../support/temporary.js";

/** A directory with directories below it, whose paths together are longer than the kernel takes. */
function deep(directory: string, name: string, count: number): void {
  const script = `
    const { mkdirSync, writeFileSync } = require("node:fs");
    const [, directory, name, count] = process.argv;
    process.chdir(directory);
    for (let n = 0; n < Number(count); n += 1) {
      mkdirSync(name);
      process.chdir(name);
      writeFileSync("file", "");
    }`;
  const args = ["-e", script, directory, name, String(count)];
  const { stderr, status } = spawnSync(process.execPath, args);
  expect([stderr.toString(), status]).toEqual(["", 0]);
}

describe("removing a tree", () => {
  it.each([
    ["short names", "dddd", 1200],
    ["long names", "n".repeat(255), 60],
  ])("goes deeper than a path can say, with %s", (_title, name, count) => {
    const directory = temporary();
    const top = join(directory, "top");
    mkdirSync(top);
    deep(top, name, count);
    removeTree(top);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("takes away what has no modes, and follows no symlink", () => {
    const directory = temporary();
    mkdirSync(join(directory, "outside"));
    writeFileSync(join(directory, "outside/file"), "x");
    mkdirSync(join(directory, "top/a/b"), { recursive: true });
    symlinkSync("../../outside", join(directory, "top/a/link"));
    for (const name of ["top/a/b", "top/a", "top"]) chmodSync(join(directory, name), 0);
    removeTree(join(directory, "top"));
    expect(readdirSync(directory)).toEqual(["outside"]);
    expect(existsSync(join(directory, "outside/file"))).toBe(true);
  });
});
