import { closeSync, fstatSync, openSync } from "node:fs";
import { SandboxError } from "../result/error.js";
import type { InputSource } from "./input-source.js";

/**
 * Where the program's standard input comes from; `discard` is empty, `pipe` is `child.stdin` of a spawned program. A
 * `stream` is read no faster than the program reads, and destroyed when that ends; when it fails, so does the run, with
 * `STREAM_FAILED`.
 */
export type StdinOption =
  | "discard"
  | "inherit"
  | "pipe"
  | { readonly data: string | Uint8Array }
  | { readonly stream: InputSource }
  | { readonly file: string }
  | { readonly fd: number };

/**
 * Where an output of the program goes: `capture` into the result, `pipe` to a stream of a spawned program, `inherit` to
 * this process's own, `discard`, a file that is made or emptied, or an open fd.
 */
export type OutputOption =
  | "capture"
  | "pipe"
  | "inherit"
  | "discard"
  | { readonly file: string }
  | { readonly fd: number };

/** The three standard streams of a run. */
export interface StdioOptions {
  readonly stdin?: StdinOption | undefined;
  readonly stdout?: OutputOption | undefined;
  /** `stdout`: the same place as standard output, in the order written. */
  readonly stderr?: OutputOption | "stdout" | undefined;
  /**
   * Fds of this process above 2 that the tool is to have as well, under the same numbers, and the program with it where
   * the tool does not close them. They must be free of those that the backend uses, which are the lowest ones.
   */
  readonly passFds?: readonly number[] | undefined;
}

/** What `spawn` is to be given for fds 0 to 2. */
export interface Stdio {
  readonly slots: readonly [
    "pipe" | "ignore" | number,
    "pipe" | "ignore" | number,
    "pipe" | "ignore" | number,
  ];
  /** Standard error follows standard output into one pipe, which only a shell can set up. */
  readonly merge: boolean;
  /** Closes the files that were opened; they belong to the child once it has been spawned. */
  close(): void;
}

/**
 * Opens what the streams need.
 *
 * @throws SandboxError `LAUNCH_FAILED`; what was opened before is closed again.
 */
export function openStdio({
  stdin = "discard",
  stdout = "capture",
  stderr = "capture",
}: StdioOptions): Stdio {
  const opened: number[] = [];
  const close = (): void => {
    for (const fd of opened.splice(0)) closeSync(fd);
  };
  const open = (path: string, flags: "r" | "w"): number => {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  };
  try {
    const input = inputSlot(stdin, open);
    const output = outputSlot(stdout, 1, open);
    const merge = stderr === "stdout" && output === "pipe";
    const error = stderr === "stdout" ? (merge ? "ignore" : output) : outputSlot(stderr, 2, open);
    for (const slot of [input, output, error]) refuseDirectory(slot);
    return { slots: [input, output, error], merge, close };
  } catch (cause) {
    close();
    const message = `a standard stream cannot be opened: ${String(cause)}`;
    throw new SandboxError("LAUNCH_FAILED", message, { cause });
  }
}

type Open = (path: string, flags: "r" | "w") => number;

/** Whoever has a directory open reaches everything below it, whatever the config says. */
function refuseDirectory(slot: "pipe" | "ignore" | number): void {
  if (typeof slot === "number" && fstatSync(slot).isDirectory())
    throw new Error(`fd ${slot} is a directory`);
}

function inputSlot(option: StdinOption, open: Open): "pipe" | "ignore" | number {
  if (option === "discard") return "ignore";
  if (option === "inherit") return 0;
  if (option === "pipe" || "data" in option || "stream" in option) return "pipe";
  return "file" in option ? open(option.file, "r") : option.fd;
}

function outputSlot(option: OutputOption, own: number, open: Open): "pipe" | "ignore" | number {
  if (option === "discard") return "ignore";
  if (option === "inherit") return own;
  if (option === "pipe" || option === "capture") return "pipe";
  return "file" in option ? open(option.file, "w") : option.fd;
}
