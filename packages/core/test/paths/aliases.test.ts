import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { aliasesOf } from "../../src/paths/aliases.js";
import type { View } from "../../src/paths/view.js";

const made: string[] = [];
function unmountAll(): void {
  for (const path of made.splice(0).toReversed()) spawnSync("umount", [path]);
}
afterEach(unmountAll);

function mount(path: string, ...args: readonly string[]): boolean {
  const isMade = spawnSync("mount", [...args, path]).status === 0;
  if (isMade) made.push(path);
  return isMade;
}

const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-aliases-")));
afterAll(() => rmSync(directory, { recursive: true }));
const probe = join(directory, "probe");
mkdirSync(probe);
const why = mount(probe, "--bind", probe) ? "" : " (skipped: this user cannot mount)";
unmountAll();

describe.skipIf(why !== "")(`what a mount of the host shows of a hidden directory${why}`, () => {
  function paths() {
    const at = (name: string): string => join(directory, name);
    for (const name of ["hidden/part", "whole", "inner", "elsewhere", "hidden/disk", "disk"])
      mkdirSync(at(name), { recursive: true });
    writeFileSync(at("hidden/part/key"), "");
    writeFileSync(at("file"), "");
    return at;
  }
  const view: View = { root: "/", mounts: new Map() };

  it("is found: the whole of it, a directory or a file below it, and a file system that is mounted there", () => {
    const at = paths();
    expect(mount(at("whole"), "--bind", at("hidden"))).toBe(true);
    expect(mount(at("inner"), "--bind", at("hidden/part"))).toBe(true);
    expect(mount(at("file"), "--bind", at("hidden/part/key"))).toBe(true);
    expect(mount(at("hidden/disk"), "-t", "tmpfs", "none")).toBe(true);
    mkdirSync(at("hidden/disk/deep"));
    expect(mount(at("disk"), "--bind", at("hidden/disk/deep"))).toBe(true);
    expect(mount(at("elsewhere"), "-t", "tmpfs", "none")).toBe(true);
    const found = aliasesOf(view, at("hidden"), at("hidden"));
    expect(new Map(found.map(({ path, kind }) => [path, kind]))).toEqual(
      new Map([
        [at("whole"), "directory"],
        [at("inner"), "directory"],
        [at("file"), "file"],
        [at("disk"), "directory"],
      ]),
    );
  });
});
