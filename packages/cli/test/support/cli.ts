import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** How a command line ended, and what it wrote. */
export interface Ran {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The executable files, which npm links. */
export const BIN: Readonly<Record<"sandboxlib" | "run-sandbox", string>> = {
  sandboxlib: join(import.meta.dirname, "../../bin/sandboxlib.js"),
  "run-sandbox": join(import.meta.dirname, "../../bin/run-sandbox.js"),
};

export async function sandboxlib(args: readonly string[], options?: RunOptions): Promise<Ran> {
  return ran(startNode([BIN.sandboxlib, ...args], options), options?.input);
}

export async function runSandbox(args: readonly string[], options?: RunOptions): Promise<Ran> {
  return ran(startNode([BIN["run-sandbox"], ...args], options), options?.input);
}

export interface RunOptions extends Pick<SpawnOptions, "cwd" | "detached"> {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export function startNode(argv: readonly string[], options: RunOptions = {}): ChildProcess {
  // Not the checkout: it may lie below /tmp, which a sandbox covers by default.
  const { cwd = "/", env, detached } = options;
  return spawn(process.execPath, argv, {
    cwd,
    ...(detached !== undefined && { detached }),
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: "pipe",
  });
}

/** Waits until the process has ended and no other one holds its streams, and returns everything that was written. */
export async function ran(child: ChildProcess, input = ""): Promise<Ran> {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  child.stdin?.on("error", () => undefined).end(input);
  const [exitCode, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { exitCode, signal, ...output };
}
