import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npm, type Packed, PROGRAM, pack } from "./support/packed.js";
import { testUnless } from "./support/test-unless.js";

const BUILT = join(import.meta.dirname, "../..", PROGRAM.slice(12), "bin/sandboxlib-launcher");
const PACKAGES: readonly Packed[] = [
  "@sandboxlib/cli",
  "@sandboxlib/core",
  "@sandboxlib/seccomp",
  "@sandboxlib/backend-namespaces",
  "@sandboxlib/launcher",
];
const SLOW = 120_000;

const scratch = mkdtempSync(join(tmpdir(), "sandboxlib-installed-"));
const isBuilt = existsSync(BUILT);
let tarballs: ReadonlyMap<Packed, string> = new Map();
beforeAll(() => {
  tarballs = pack([...PACKAGES, ...(isBuilt ? [PROGRAM] : [])], scratch);
}, SLOW);
afterAll(() => rmSync(scratch, { recursive: true }));

/** A project into which npm has installed the packages. Their other dependencies are left out: there is no registry. */
function installed(packages: readonly Packed[]): string {
  const directory = mkdtempSync(join(scratch, "project-"));
  writeFileSync(join(directory, "package.json"), "{}");
  npm(["install", ...packages.map((name) => tarballs.get(name) ?? "")], directory);
  return directory;
}

function namespacesIn(directory: string): { reason?: string; remedy?: string; available: boolean } {
  const command = join(directory, "node_modules/.bin/sandboxlib");
  const found = JSON.parse(execFileSync(command, ["backends", "--json"], { encoding: "utf8" }));
  expect(found).toMatchObject([{ name: "namespaces" }]);
  return found[0];
}

testUnless(
  isBuilt ? undefined : "the launcher was not built, for want of a compiler",
  "the launcher comes from the package for this machine, executable, and runs",
  () => {
    const directory = installed([...PACKAGES, PROGRAM]);
    const program = join(directory, "node_modules", PROGRAM, "bin/sandboxlib-launcher");
    expect(statSync(program).mode & 0o777).toBe(0o755);
    const { available, reason } = namespacesIn(directory);
    expect(reason ?? "").not.toContain(PROGRAM);
    if (!available) return;
    const command = join(directory, "node_modules/.bin/run-sandbox");
    const args = ["--cwd", "/", "--quiet", "--degrade", "--", "echo", "inside"];
    const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "inside\n", stderr: "" });
  },
  SLOW,
);

test(
  "without that package the backend says that it is not installed, and how it can be",
  () => {
    expect(namespacesIn(installed(PACKAGES))).toMatchObject({
      available: false,
      reason: `@sandboxlib/launcher-${process.platform}-${process.arch} is not installed`,
      remedy: expect.stringContaining("--omit=optional"),
    });
  },
  SLOW,
);
