import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxResult } from "@sandboxlib/core";
import { addBusybox, isRequired, noBusybox } from "@sandboxlib/test-support";
import { describe } from "vitest";

/** A `describe` that is skipped, with the reason in its title, where a tool or root is missing. */
export function describeAsRoot(title: string, body: () => void): void {
  const why = whyNot();
  if (why === undefined) return void describe(title, body);
  if (isRequired("chroot")) throw new Error(`SANDBOXLIB_REQUIRE names chroot, and it ${why}`);
  describe.skip(`${title} (skipped: ${why})`, body);
}

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "is tested on Linux only";
  if (process.getuid?.() !== 0) return "needs root";
  return noBusybox;
}

/** A directory of the host that holds a root with busybox and the usual empty directories. */
export interface SmallRoot {
  readonly directory: string;
  /** Beside the root. */
  path(name: string): string;
  readonly root: string;
  /** The mounts in it that this process sees. */
  mounts(): string;
  remove(): void;
}

export function smallRoot(): SmallRoot {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-chroot-"));
  const root = join(directory, "root");
  for (const name of ["dev", "proc", "tmp", "etc", "mnt"])
    mkdirSync(join(root, name), { recursive: true });
  addBusybox(root);
  return {
    directory,
    root,
    path: (name) => join(directory, name),
    mounts: () => linesWith(directory, readFileSync("/proc/self/mountinfo", "utf8")),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

/** What the result's standard output says. */
export function output({ stdout }: SandboxResult): string {
  return Buffer.from(stdout ?? []).toString();
}

function linesWith(word: string, text: string): string {
  return text
    .split("\n")
    .filter((line) => line.includes(word))
    .join("\n");
}
