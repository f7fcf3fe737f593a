import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  open,
  openSync,
  read,
  readSync,
  type Stats,
} from "node:fs";
import { setTimeout } from "node:timers/promises";
import { isatty } from "node:tty";
import type { StdioTarget, StdioTargets } from "../backend/running.js";
import { errnoOf } from "../host/host.js";
import { SandboxError } from "../result/error.js";
import type { Prepared } from "../start/prepared.js";
import { openInputFile, openOutputFile } from "./open-file.js";
import type { RunOptions } from "./options.js";
import { isFed, type OutputOption, type StdinOption, type StdioOptions } from "./options.js";
import { assertOwnTerminal } from "./terminal.js";

/** The standard streams of a run, in which pipes have taken the place of the caller's files and devices. */
export interface ResolvedStdio {
  readonly targets: StdioTargets;
  /** The options of the run; standard input from a file or a device has become a stream. */
  readonly options: RunOptions;
  /** The fds to which outputs are copied. */
  readonly sinks: Sinks;
  /** Closes everything that was opened for the run. */
  readonly close: () => void;
}

/** The fds to copy the outputs to. */
export interface Sinks {
  readonly stdout?: number;
  readonly stderr?: number;
}

/**
 * Decides what the program gets as fds 0 to 2. It gets no file or device of the caller: through an open fd a program could
 * change the mode of a file, or open it again by its name in /proc and truncate it, although it was opened for appending.
 *
 * @throws SandboxError `LAUNCH_FAILED`, `PATH_INVALID`; what was opened before is closed again.
 */
export function resolveStdio(prepared: Prepared, options: RunOptions): ResolvedStdio {
  const open = new Opener(prepared);
  try {
    const input = open.input(options.stdin);
    const [stdout, to] = open.output("stdout", options.stdout);
    const [apart, errorTo] =
      options.stderr === "stdout" ? [] : open.output("stderr", options.stderr);
    // If both outputs lead to one file, one pipe keeps the order in which they were written.
    const isOne = apart === undefined || isSameFile(to, errorTo);
    return {
      targets: {
        stdin: input.target,
        stdout,
        stderr: isOne ? "stdout" : apart,
        ...(options.passFds !== undefined && { passFds: options.passFds }),
      },
      options: input.option === options.stdin ? options : { ...options, stdin: input.option },
      sinks: {
        ...(to !== undefined && { stdout: to }),
        ...(!isOne && errorTo !== undefined && { stderr: errorTo }),
      },
      close: open.close,
    };
  } catch (error) {
    open.close();
    throw error;
  }
}

/** For a stream on a fd of the caller, which Node would close with the stream. */
const LEFT_OPEN = { open, read, close: (_: number, done: () => void) => done() };

function isSameFile(one: number | undefined, other: number | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const [{ dev, ino }, stat] = [fstatSync(one), fstatSync(other)];
  return dev === stat.dev && ino === stat.ino;
}

type Name = "stdin" | "stdout" | "stderr";

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;

class Opener {
  readonly #prepared: Prepared;
  readonly #opened: (() => void)[] = [];

  constructor(prepared: Prepared) {
    this.#prepared = prepared;
  }

  readonly close = (): void => {
    for (const close of this.#opened.splice(0)) close();
  };

  input(option: StdinOption = "discard"): { target: StdioTarget; option: StdinOption } {
    if (option === "discard") return { target: option, option };
    if (option === "pipe" || isFed(option)) return { target: "pipe", option };
    const fd = this.#fd("stdin", option, 0);
    const target = this.#targetOf("stdin", fd);
    if (target !== "relay") return { target, option: "discard" };
    const isOurs = typeof option === "object" && "file" in option;
    const stat = statOf("stdin", fd);
    if (isEndless(stat, fd)) {
      if (stat.isSocket()) throw unusable("stdin", "an engine cannot be given a socket");
      return { target, option: { stream: polled(fd) } };
    }
    const stream = createReadStream("", isOurs ? { fd } : { fd, fs: LEFT_OPEN });
    // The stream closes the file.
    this.#opened.length = 0;
    this.#opened.push(() => stream.destroy());
    return { target, option: { stream } };
  }

  output(name: Name, option: OutputOption = "capture"): [StdioTarget, number?] {
    if (option === "discard") return [option];
    if (option === "pipe" || option === "capture") return ["pipe"];
    const fd = this.#fd(name, option, name === "stdout" ? 1 : 2);
    const target = this.#targetOf(name, fd);
    return target === "relay" ? [target, fd] : [target];
  }

  #fd(name: Name, option: StdioOptions["stdin"] | OutputOption, own: number): number {
    if (typeof option !== "object") return own;
    if ("fd" in option) return option.fd;
    if (!("file" in option)) return own;
    const open = name === "stdin" ? openInputFile : openOutputFile;
    const fd = open(name, option.file, this.#prepared.config);
    this.#opened.push(() => closeSync(fd));
    return fd;
  }

  /** A directory is refused: through its fd a program would reach everything below it, whatever the config says. */
  #targetOf(name: Name, fd: number): StdioTarget {
    const stat = statOf(name, fd);
    if (stat.isDirectory()) throw unusable(name, `fd ${fd} is a directory`);
    if (isNull(stat)) return "discard";
    // An engine gets no fd of this process.
    if (this.#prepared.plan.kind === "engine" || !isEndless(stat, fd)) return "relay";
    if (!isatty(fd)) return fd;
    assertOwnTerminal(this.#prepared, name, stat.rdev);
    return fd;
  }
}

/** Whether it is a FIFO, a socket or a terminal, whose other side decides when it ends. */
function isEndless(stat: Stats, fd: number): boolean {
  return stat.isFIFO() || stat.isSocket() || isatty(fd);
}

/**
 * Reads a FIFO or a terminal of the caller by an open file description of its own, which leaves the caller's as it is. It
 * asks again and again: poll(2) does not tell a FIFO's end to who has opened it after the last writer had gone, but
 * read(2) does.
 */
async function* polled(fd: number): AsyncGenerator<Buffer, undefined, undefined> {
  const own = openSync(`/dev/fd/${fd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const size = readNow(own, chunk);
      if (size === 0) return undefined;
      if (size === undefined) await setTimeout(POLL);
      else yield chunk.subarray(0, size);
    }
  } finally {
    closeSync(own);
  }
}

/** Bytes, and milliseconds. */
const [CHUNK, POLL] = [65_536, 10] as const;

/** How many bytes there were, 0 at the end; undefined when there are none yet. */
function readNow(fd: number, into: Buffer): number | undefined {
  try {
    return readSync(fd, into);
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return undefined;
    throw error;
  }
}

/** Whether it is Linux's null device, for which the sandbox has one of its own. */
function isNull(stat: Stats): boolean {
  return process.platform === "linux" && stat.isCharacterDevice() && stat.rdev === 0x1_03;
}

function statOf(name: Name, fd: number): Stats {
  try {
    return fstatSync(fd);
  } catch (cause) {
    throw unusable(name, String(cause), cause);
  }
}

function unusable(path: Name, why: string, cause?: unknown): SandboxError {
  const message = `${path}: a standard stream cannot be opened: ${why}`;
  return new SandboxError("LAUNCH_FAILED", message, { path, cause });
}
