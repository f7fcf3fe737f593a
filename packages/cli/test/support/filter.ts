import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileSeccomp } from "@sandboxlib/seccomp";
import { onTestFinished } from "vitest";
import { scratch } from "./scratch.js";

type Policy = Exclude<Parameters<typeof compileSeccomp>[0], string>;

/** An fd of a filter that has rules for some calls and allows every other, for a test. */
export function filterFd(...syscalls: readonly NonNullable<Policy["syscalls"]>[number][]): number {
  const file = join(scratch(), "filter");
  const { filter } = compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
  writeFileSync(file, filter);
  const fd = openSync(file, "r");
  onTestFinished(() => closeSync(fd));
  return fd;
}

/** Runs what follows under the filter on fd 3, as bwrap(1) loads it, and changes nothing else. */
export const UNDER_FILTER = ["/usr/bin/bwrap", "--dev-bind", "/", "/", "--seccomp", "3", "--"];

/** Why that cannot be done here; undefined where it can. */
export const noFilter: string | undefined =
  spawnSync("/usr/bin/bwrap", ["--dev-bind", "/", "/", "true"]).status === 0
    ? undefined
    : "needs bwrap";
