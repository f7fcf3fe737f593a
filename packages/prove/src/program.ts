import { chmodSync, copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SandboxError } from "@sandboxlib/core";

/** What the program is called, wherever it is put. */
export const PROGRAM_NAME = "sandboxlib-attacks";

/** Why there is no program that attacks on this machine; undefined where there is. */
export function noProgram(): string | undefined {
  return existsSync(source()) ? undefined : `no ${source()}`;
}

/**
 * Copies the program that attacks into a directory, where everybody may execute it.
 *
 * @throws SandboxError `LAUNCH_FAILED` where there is none for this machine.
 */
export function copyProgram(directory: string): string {
  const missing = noProgram();
  if (missing !== undefined)
    throw new SandboxError("LAUNCH_FAILED", `there is no program that attacks: ${missing}`, {
      hint: "It is there for Linux on x64 and arm64. In a checkout, install a C compiler and build again.",
    });
  const copy = join(directory, PROGRAM_NAME);
  copyFileSync(source(), copy);
  chmodSync(copy, 0o755);
  return copy;
}

function source(): string {
  const name = `attacks-${process.platform}-${process.arch}`;
  return fileURLToPath(new URL(`../bin/${name}`, import.meta.url));
}
