import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findLauncher } from "../lib/index.js";

const SCOPE = "node_modules/@sandboxlib";
const NAME = `launcher-linux-${process.arch}`;

let directory = "";
let program = "";

/** An installation of this package, with the package of the program beside it. */
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-launcher-")));
  const own = join(import.meta.dirname, "..");
  for (const part of ["dist", "package.json"])
    cpSync(join(own, part), join(directory, SCOPE, "launcher", part), { recursive: true });
  program = join(directory, SCOPE, NAME, "bin/sandboxlib-launcher");
  mkdirSync(dirname(program), { recursive: true });
  cpSync(join(own, "..", NAME, "package.json"), join(directory, SCOPE, NAME, "package.json"));
  writeFileSync(program, "#!/bin/sh\n");
  chmodSync(program, 0o755);
});

afterEach(() => rmSync(directory, { recursive: true }));

/** What the installation finds, in a process of its own. */
function found(): unknown {
  const script = `
    import { findLauncher } from "@sandboxlib/launcher";
    process.stdout.write(JSON.stringify(findLauncher()));`;
  writeFileSync(join(directory, "find.mjs"), script);
  const { stdout } = spawnSync(process.execPath, [join(directory, "find.mjs")], {
    encoding: "utf8",
  });
  return JSON.parse(stdout);
}

const linux = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);

describe.skipIf(!linux)("the launcher", () => {
  it("is the program of the package for this machine", () => {
    expect(found()).toEqual({ path: program, version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });

  it("is missed by name where its package was not installed", () => {
    rmSync(join(directory, SCOPE, NAME), { recursive: true });
    expect(found()).toEqual({
      reason: `@sandboxlib/${NAME} is not installed`,
      remedy: expect.stringContaining("--omit=optional"),
    });
  });

  it("is missed where its package has no program in it", () => {
    rmSync(program);
    expect(found()).toEqual({
      reason: `${program} is missing`,
      remedy: `Install @sandboxlib/${NAME} again.`,
    });
  });

  it("is not used when others can write it", () => {
    for (const mode of [0o775, 0o757]) {
      chmodSync(program, mode);
      expect(found()).toMatchObject({ reason: expect.stringContaining("can be written") });
    }
  });

  it("is not used when it cannot be executed", () => {
    chmodSync(program, 0o644);
    expect(found()).toMatchObject({ reason: expect.stringContaining("not an executable file") });
  });

  it.skipIf(process.getuid?.() !== 0)("is not used when it belongs to somebody else", () => {
    chownSync(program, 12_345, 12_345);
    expect(found()).toMatchObject({ reason: expect.stringContaining("user 12345") });
  });
});

it.each([
  ["darwin", "arm64"],
  ["linux", "s390x"],
])("there is none for %s on %s, and that is said", (platform, arch) => {
  expect(findLauncher(platform, arch)).toMatchObject({
    reason: `there is no launcher for ${platform} on ${arch}`,
  });
});
