import type { WindowSize } from "../backend/running.js";

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

/** How one command is run. */
export interface RunOptions extends StdioOptions {
  /** Ends the run with the outcome `aborted`: as the config's `stop` has it, else at once. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The most bytes to capture of each output; a run that writes more is ended as `limit-exceeded`. Default: 64 MiB.
   * A `pipe` has no such limit: the program writes no faster than it is read.
   */
  readonly maxOutput?: number | undefined;
  /**
   * Whether the program has a terminal of its own as its standard streams, and of which size: 80 x 24 unless it is
   * given. What is written to `stdin` is typed, at its end the end-of-file character; what is shown comes as `stdout`,
   * and there is no `stderr`. Needs the capability `tty` and a mount of the type `dev`. Default: false.
   */
  readonly tty?: boolean | WindowSize | undefined;
}

/** Whether this process writes standard input. */
export function isFed(option: StdinOption): boolean {
  return typeof option === "object" && ("data" in option || "stream" in option);
}

/** A stream of bytes for a program: Node's, the web's, or whatever gives bytes or strings, which are UTF-8, one by one. */
export type InputSource = AsyncIterable<string | Uint8Array>;
