import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { WriteStream } from "node:tty";
import type { RunOptions, SandboxChild, WindowSize } from "@sandboxlib/core";
import { END_SIGNALS } from "./signals.js";

/** Connects the caller's terminal with the terminal of the program. */
export interface Terminal {
  /** The options to start the program with. */
  readonly options: RunOptions;
  /** Passes on input, output and changes of size until the program has ended and all of its output is written. */
  to(child: SandboxChild): Promise<void>;
  /** Restores the modes of the caller's terminal. */
  restore(): void;
}

/** Milliseconds between looks at whether this process is in the foreground, while it is not. */
const LOOK_EVERY = 200;

/** Signals that end this process, and the program with it, without being handed on. The modes are restored before. */
const FATAL: readonly NodeJS.Signals[] = [
  "SIGQUIT",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGABRT",
  "SIGTRAP",
  "SIGSYS",
  "SIGIO",
  "SIGPWR",
  "SIGSTKFLT",
];

/** The caller's terminal: any of the standard streams may be one. */
export function callersTerminal(): Terminal {
  const { stdin, stdout } = process;
  const [cleanup, modes] = [new Cleanup(), new Cleanup()];
  const size = windowSize();
  return {
    options: {
      tty: size ?? true,
      stdin: "pipe",
      stdout: "pipe",
    },
    async to(child) {
      const { stdin: typed, stdout: shown } = child;
      if (typed === null || shown === null) return;
      // The program may end, and the caller's terminal be closed, at any time: neither is an error.
      for (const stream of [typed, shown, stdin]) cleanup.on(stream, "error", () => undefined);
      cleanup.on(stdout, "error", () => {
        child.kill("SIGHUP");
        shown.resume();
      });
      const isShown = new Promise<void>((resolve) => shown.once("close", resolve));
      cleanup.add(() => stdin.unpipe(typed).pause());
      setModes(child, modes, () => stdin.pipe(typed));
      shown.pipe(stdout, { end: false });
      await child.result.catch(() => undefined);
      // Whoever takes what is shown may be slow. Ctrl-C is a signal again, and ends the wait as any other does.
      modes.run();
      await orInterrupted(isShown);
    },
    restore() {
      modes.run();
      cleanup.run();
    },
  };
}

/** Steps that undo what was done, run in reverse. */
class Cleanup {
  readonly #steps: (() => void)[] = [];

  add(step: () => void): void {
    this.#steps.push(step);
  }

  /** Listens until the cleanup runs. */
  on(emitter: NodeJS.EventEmitter, event: string, listener: () => void): void {
    emitter.on(event, listener);
    this.add(() => emitter.off(event, listener));
  }

  run(): void {
    for (const step of this.#steps.splice(0).reverse()) step();
  }
}

/**
 * Puts the caller's terminal into raw mode, keeps the sizes equal, and restores the modes whenever this process stops.
 *
 * @param type - Called when what is typed is for the program. Not while this process is in the background, where the kernel
 * stops it for reading from the terminal, and for changing its modes: as often as it is continued, and for ever.
 */
function setModes(child: SandboxChild, cleanup: Cleanup, type: () => void): void {
  let isTyping = false;
  const enter = (): void => {
    if (!isInForeground()) return;
    setRaw(true);
    if (!isTyping) type();
    isTyping = true;
    clearInterval(look);
  };
  // A shell that takes a running job into the foreground does not tell it.
  const look = setInterval(enter, LOOK_EVERY).unref();
  cleanup.add(() => clearInterval(look));
  const resize = (): void => {
    const size = windowSize();
    if (size !== undefined) child.resize(size.columns, size.rows);
  };
  enter();
  cleanup.add(() => setRaw(false));
  cleanup.on(process, "exit", () => setRaw(false));
  for (const signal of FATAL) {
    cleanup.on(process, signal, () => {
      cleanup.run();
      process.kill(process.pid, signal);
    });
  }
  cleanup.on(process, "SIGWINCH", resize);
  // These are sent by another process: Ctrl-Z goes to the program's terminal, which sends the program a signal.
  cleanup.on(process, "SIGTSTP", () => setRaw(false));
  cleanup.on(process, "SIGCONT", () => {
    enter();
    resize();
  });
}

/** Changes the modes of a terminal that is there and in whose foreground this process is. */
function setRaw(isRaw: boolean): void {
  const { stdin } = process;
  // A terminal that was closed has no modes to restore.
  if (stdin.isTTY && !stdin.destroyed && isInForeground()) stdin.setRawMode(isRaw);
}

/** Whether the kernel lets this process use its standard input, which it may not always if that is its own terminal. */
function isInForeground(): boolean {
  if (!process.stdin.isTTY) return true;
  const stat = readFileSync("/proc/self/stat", "latin1");
  // proc(5): the name, which may hold anything, is in brackets.
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return foreground === group || fstatSync(0).rdev !== Number(terminal);
}

/** The size of the first of the standard streams that is a terminal, as other programs have it. */
function windowSize(): WindowSize | undefined {
  const { stdout, stderr, stdin } = process;
  const output = [stdout, stderr].find(({ isTTY }) => isTTY);
  if (output !== undefined) return { columns: output.columns, rows: output.rows };
  return stdin.isTTY ? inputSize() : undefined;
}

/** Node tells the size of what can be written only. */
function inputSize(): WindowSize {
  const fd = openSync("/dev/fd/0", constants.O_RDONLY | constants.O_NOCTTY);
  try {
    const stream = new WriteStream(fd);
    const [columns, rows] = stream.getWindowSize();
    stream.destroy();
    return { columns, rows };
  } finally {
    closeSync(fd);
  }
}

/** Waits for it, or for a signal that asks for an end. */
async function orInterrupted(waited: Promise<void>): Promise<void> {
  const cleanup = new Cleanup();
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of END_SIGNALS) cleanup.on(process, signal, resolve);
  });
  await Promise.race([waited, interrupted]);
  cleanup.run();
}
