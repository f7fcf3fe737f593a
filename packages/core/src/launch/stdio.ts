import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { Host } from "../plan/backend.js";
import type { InputSource } from "./input-source.js";
import { takePipe } from "./pipe.js";
import type { Wires } from "./wires.js";

/**
 * Where the program's standard input comes from; `discard` is empty, `pipe` is `child.stdin` of a spawned program. A
 * `stream` is read no faster than the program reads, and destroyed when that ends; when it fails, so does the run, with
 * `STREAM_FAILED`. So is what `inherit`, `file` and `fd` name where it is a file or a device: the program has a pipe,
 * into which this process copies it, and may have copied more than was read. A terminal, a FIFO or a socket is the
 * program's own as it is, but not as a `file`: to open one could take for ever.
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
 * this process's own, `discard`, a file that is made or emptied, or an open fd. What is a file or a device is written by
 * this process, from a pipe, before the result is there; when that fails, the run does, with `STREAM_FAILED`. As with
 * standard input, the program has a terminal, a FIFO or a socket as it is. No `file` is a symlink, nor reached by one
 * that the program could have made. An `fd` has to stay open until the result is there.
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

/** What `spawn` is to be given for fds 0 to 2, and what this process then has of them. */
export interface Stdio {
  readonly slots: readonly [Slot, Slot, Slot];
  /** Standard error follows standard output into one pipe, which only a shell can set up. */
  readonly merge: boolean;
  /** Our ends of the pipes that the slots are ends of, once the program has been started. */
  take(): Taken;
  /** Closes the program's ends, which it has once it has been spawned, and those of ours that were not taken. */
  close(): void;
}

type Slot = "pipe" | "ignore" | number;

interface Taken {
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
}

/**
 * Makes what the streams need.
 *
 * @throws SandboxError `LAUNCH_FAILED`; what was opened before is closed again.
 */
export function openStdio({ stdin, stdout, stderr }: Wires, host: Host): Stdio {
  const theirs: number[] = [];
  const ours: (number | undefined)[] = [];
  const slot = (wire: Wires["stdout"], fd: 0 | 1 | 2): Slot => {
    if (wire === "discard") return "ignore";
    const pipe = wire === "relay" ? takePipe(host) : undefined;
    if (pipe === undefined) return wire === "relay" ? "pipe" : wire;
    const [read, write] = pipe;
    const end = fd === 0 ? read : write;
    theirs.push(end);
    ours[fd] = fd === 0 ? write : read;
    return end;
  };
  const close = (): void => {
    for (const fd of [...theirs.splice(0), ...ours.splice(0)]) if (fd !== undefined) closeSync(fd);
  };
  try {
    const input = slot(stdin, 0);
    const output = slot(stdout, 1);
    const merge = stderr === "stdout" && output === "pipe";
    const error = stderr === "stdout" ? (merge ? "ignore" : output) : slot(stderr, 2);
    const take = (): Taken => {
      const [toStdin, fromStdout, fromStderr] = ours.splice(0);
      return {
        ...(toStdin !== undefined && { stdin: socketOn(toStdin, "writable") }),
        ...(fromStdout !== undefined && { stdout: socketOn(fromStdout, "readable") }),
        ...(fromStderr !== undefined && { stderr: socketOn(fromStderr, "readable") }),
      };
    };
    return { slots: [input, output, error], merge, take, close };
  } catch (cause) {
    close();
    throw cause;
  }
}

function socketOn(fd: number, way: "readable" | "writable"): Socket {
  return new Socket({ fd, readable: way === "readable", writable: way === "writable" });
}
