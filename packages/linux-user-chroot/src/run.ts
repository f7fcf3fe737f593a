import { fstatSync } from "node:fs";
import {
  isSandboxError,
  type SandboxChild,
  type SandboxResult,
  signalNumber,
  type Word,
} from "@sandboxlib/core";
import { exactWords } from "@sandboxlib/core/internal";
import { sandboxFor } from "./backends.js";
import type { CommandLine } from "./command-line.js";
import { configOf } from "./config.js";
import { type Fatal, isFatal } from "./fatal.js";

/** How long the program may run after a signal before everything is killed, in milliseconds. */
const GRACE = 2_000;

/** Runs the program until it ends. */
export async function run(
  line: CommandLine,
  texts: readonly string[],
): Promise<{ readonly exitCode: number } | Fatal> {
  const command = commandOf(line, texts);
  if (isFatal(command)) return command;
  const config = configOf(line);
  if (isFatal(config)) return config;
  const passFds = passedFds();
  if (isFatal(passFds)) return passFds;
  try {
    const sandbox = await sandboxFor(config, passFds.length > 0);
    const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    const start = (): SandboxChild => sandbox.spawn(command, { ...streams, passFds });
    return { exitCode: exitCodeOf(await untilEnded(start)) };
  } catch (error) {
    return { fatal: messageOf(error) };
  }
}

/**
 * Finds PROGRAM and its arguments, which may be any bytes. The arguments before it name things of the host, and must be
 * text.
 */
function commandOf({ command }: CommandLine, texts: readonly string[]): readonly Word[] | Fatal {
  try {
    const words = exactWords(texts);
    const start = texts.length - command.length;
    const wrong = words.slice(0, start).findIndex((word) => typeof word !== "string");
    return wrong === -1 ? words.slice(start) : { fatal: `${texts[wrong]}: is not UTF-8` };
  } catch (error) {
    return { fatal: messageOf(error) };
  }
}

/**
 * Runs the program until it ends. A signal that ends this command also ends the program and everything that it has
 * started.
 */
async function untilEnded(start: () => SandboxChild): Promise<SandboxResult> {
  let child: SandboxChild;
  let came: NodeJS.Signals | undefined;
  let timer: NodeJS.Timeout | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    child.kill(came === undefined ? signal : "SIGKILL");
    came ??= signal;
    timer ??= setTimeout(() => child.kill("SIGKILL"), GRACE);
  };
  // These come first, since the program may expect a signal before `start` has returned.
  for (const signal of ENDING) process.on(signal, listener);
  try {
    child = start();
    return await child.result;
  } finally {
    clearTimeout(timer);
    for (const signal of ENDING) process.off(signal, listener);
    if (came !== undefined) process.kill(process.pid, came);
  }
}

const ENDING = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

function exitCodeOf({ exitCode, signal }: SandboxResult): number {
  return exitCode ?? (signal === undefined ? 1 : 128 + (signalNumber(signal) ?? 0));
}

/** The numbers of the fds that the program gets. Backends use the fds below 6 themselves. */
function passedFds(): number[] | Fatal {
  const words = (process.env["SANDBOXLIB_PASS_FDS"] ?? "").split(",").filter((word) => word !== "");
  const wrong = words.find((word) => !/^[6-9]$/.test(word) || !isOpen(Number(word)));
  if (wrong === undefined) return words.map(Number);
  return { fatal: `SANDBOXLIB_PASS_FDS: ${JSON.stringify(wrong)} is no open fd from 6 to 9` };
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

function messageOf(error: unknown): string {
  if (!isSandboxError(error)) return error instanceof Error ? error.message : String(error);
  if (error.code === "COMMAND_NOT_FOUND") return "execv: No such file or directory";
  if (error.code === "COMMAND_NOT_EXECUTABLE") return "execv: Permission denied";
  // The hint of the library is about a config, and this command has none.
  const hint = error.code === "CAPABILITY_UNSUPPORTED" ? INSTALL : error.hint;
  return hint === undefined ? error.message : `${error.message}\nhint: ${hint}`;
}

const INSTALL =
  "Install a backend that does it beside this command, such as @sandboxlib/backend-namespaces.";
