import { fstatSync } from "node:fs";
import {
  exactWords,
  isSandboxError,
  type SandboxChild,
  type SandboxResult,
  signalNumber,
  type Word,
} from "@sandboxlib/core";
import { sandboxFor } from "./backends.js";
import type { CommandLine } from "./command-line.js";
import { configOf } from "./config.js";
import { type Fatal, isFatal } from "./fatal.js";

/** What a signal leaves to the program before everything is ended, in milliseconds. */
const GRACE = 2_000;

/** Runs the program to its end. */
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

/** The words of the program may be any bytes; what names something of the host is text. */
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

/** A signal that ends this command ends the program with it, and everything that it has started. */
async function untilEnded(start: () => SandboxChild): Promise<SandboxResult> {
  let child: SandboxChild;
  let came: NodeJS.Signals | undefined;
  let timer: NodeJS.Timeout | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    child.kill(came === undefined ? signal : "SIGKILL");
    came ??= signal;
    timer ??= setTimeout(() => child.kill("SIGKILL"), GRACE);
  };
  // First, since the program may be ready for a signal before `start` has returned.
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

/** Fds that the caller wants the program to have, by number. Those below 6 are used by backends. */
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
  // The library's own hint speaks of a config, and there is none here.
  const hint = error.code === "CAPABILITY_UNSUPPORTED" ? INSTALL : error.hint;
  return hint === undefined ? error.message : `${error.message}\nhint: ${hint}`;
}

const INSTALL =
  "Install a backend that does it beside this command, such as @sandboxlib/backend-namespaces.";
