import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import namespaces from "@sandboxlib/backend-namespaces";
import { createSandbox, type RunOptions, type SandboxResult, type Word } from "@sandboxlib/core";
import { falsified, NOTHING } from "./lasting-lies.js";
import type { Lie } from "./lies.js";

type Run = (argv: readonly Word[], options: RunOptions) => Promise<SandboxResult>;

/** A library that runs commands in some other way, in a run and in a session. */
export function runsBy(edit: (honest: Run) => Run): Lie {
  return {
    backend: namespaces,
    base: namespaces,
    library: {
      createSandbox: async (config, how) => {
        const sandbox = await createSandbox(config, how);
        const run: typeof sandbox.run = (argv = [], options = {}) =>
          edit((...given) => sandbox.run(...given))(argv, options);
        const openSession: typeof sandbox.openSession = async () => ({
          ...(await sandbox.openSession()),
          run,
        });
        return { ...sandbox, run, openSession };
      },
    },
  };
}

/** Gives a program the files of its streams themselves. */
export async function withFiles(
  argv: readonly Word[],
  { stdin, stdout, stderr }: RunOptions,
): Promise<SandboxResult> {
  const stdio = [slot(stdin, "r"), slot(stdout, "w"), slot(stderr, "w")];
  return resultOf(spawnSync("sh", wordsOf(argv), { stdio, timeout: 5000 }));
}

/** Gives a program sockets, and copies the beginning of what it writes. */
export async function withSockets(
  argv: readonly Word[],
  { stdin, stdout }: RunOptions,
): Promise<SandboxResult> {
  const input = isFile(stdin) ? readFileSync(stdin.file) : "";
  const ran = spawnSync("sh", wordsOf(argv), { input, timeout: 5000 });
  if (isFile(stdout)) writeFileSync(stdout.file, ran.stdout.subarray(0, 4000));
  return resultOf(ran);
}

/** Puts words as Node does. */
export function rewritten(word: Word): string {
  return Buffer.from(word as string).toString();
}

function wordsOf(argv: readonly Word[]): string[] {
  return argv.slice(1).map(rewritten);
}

function slot(option: RunOptions["stdin" | "stderr"], flags: "r" | "w"): number | "ignore" {
  if (isFile(option)) return openSync(option.file, flags);
  return typeof option === "object" && "fd" in option ? option.fd : "ignore";
}

function isFile(option: RunOptions["stdin" | "stderr"]): option is { readonly file: string } {
  return typeof option === "object" && "file" in option;
}

function resultOf({ status }: SpawnSyncReturns<Buffer>): SandboxResult {
  return falsified(NOTHING, { outcome: "exited", exitCode: status ?? 255 });
}
