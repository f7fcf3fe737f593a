import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PYTHON = "/usr/bin/python3";
const SCRIPT = fileURLToPath(new URL("kernel.py", import.meta.url));

/** Why nothing can be tried on the kernel here; undefined when it can. */
export const noKernel: string | undefined =
  process.platform === "linux" && spawnSync(PYTHON, ["-c", "import ctypes"]).status === 0
    ? undefined
    : "there is no /usr/bin/python3";

/** Makes calls under a filter: `done`, `errno N` or `signal N` for each. */
export function ask(
  filter: Uint8Array,
  calls: readonly { number: number; args: readonly bigint[] }[],
): string[] {
  const input = calls
    .map(({ number, args }) => JSON.stringify({ number, args: args.map(String) }))
    .join("\n");
  return withFile(filter, (file) => finished(["ask"], file, input).stdout.trim().split("\n"));
}

/** Runs a program under a filter. */
export function runUnder(
  filter: Uint8Array,
  argv: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  return withFile(filter, (file) => finished(["run", ...argv], file, ""));
}

function finished(words: readonly string[], file: string, input: string) {
  return spawnSync(PYTHON, [SCRIPT, file, ...words], { input, encoding: "utf8" });
}

function withFile<Result>(filter: Uint8Array, use: (file: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), "seccomp-"));
  try {
    const file = join(directory, "filter");
    writeFileSync(file, filter);
    return use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
