import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Packed, pack } from "./packed.js";

const ROOT = join(import.meta.dirname, "../../../..");
const OURS: readonly Packed[] = [
  "@sandboxlib/cli",
  "@sandboxlib/core",
  "@sandboxlib/seccomp",
  "@sandboxlib/prove",
  "@sandboxlib/conformance",
];

/** What has become of a command. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where an author of a backend works: a directory outside this repository with what was packed of ours. */
export interface Author {
  readonly directory: string;
  /** Runs a program of a package that is installed there, as `["vitest/vitest.mjs", "run"]`. */
  readonly run: (
    command: readonly [string, ...string[]],
    cwd: string,
    env?: Readonly<Record<string, string>>,
  ) => Ran;
  readonly remove: () => void;
}

/** Makes a place for an author. Nothing above it may hold a node_modules or a tsconfig.json of ours. */
export function author(): Author {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "sandboxlib-author-")));
  const modules = join(directory, "node_modules");
  for (const [name, tarball] of pack(OURS, directory)) unpack(tarball, join(modules, name));
  // What an author gets from the registry is what this repository got from there.
  for (const name of ["vitest", "typescript", "@types/node"]) link(name, ROOT, modules);
  link("execa", join(ROOT, "packages/conformance"), modules);
  return {
    directory,
    run: ([program, ...args], cwd, env) =>
      spawnSync(process.execPath, [join(modules, program), ...args], {
        cwd,
        env: { ...process.env, NO_COLOR: "1", ...env },
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
      }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function unpack(tarball: string, directory: string): void {
  mkdirSync(directory, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", directory, "--strip-components=1"]);
}

function link(name: string, from: string, modules: string): void {
  const at = join(modules, name);
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(realpathSync(join(from, "node_modules", name)), at);
}
