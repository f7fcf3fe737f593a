import type { RunOptions, SandboxChild } from "@sandboxlib/core";

/** Connects the caller's terminal with the terminal of the program. */
export interface Terminal {
  /** The options to start the program with. */
  readonly options: RunOptions;
  /** Passes on input, output and changes of size until the program has ended and all of its output is written. */
  to(child: SandboxChild): Promise<void>;
  /** Restores the modes of the caller's terminal. */
  restore(): void;
}

/** Milliseconds to wait for the last output to be written, since nobody may be reading it. */
const MOST_DRAIN = 5_000;

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

/** The caller's terminal: standard input, standard output or both may be one. */
export function callersTerminal(): Terminal {
  const { stdin, stdout } = process;
  const cleanup = new Cleanup();
  return {
    options: {
      tty: stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows } : true,
      stdin: "pipe",
      stdout: "pipe",
    },
    async to(child) {
      setModes(child, cleanup);
      const { stdin: typed, stdout: shown } = child;
      if (typed === null || shown === null) return;
      // The program may end, and the caller's terminal be closed, at any time: neither is an error.
      for (const stream of [typed, shown, stdin]) cleanup.on(stream, "error", () => undefined);
      cleanup.on(stdout, "error", () => {
        child.kill("SIGHUP");
        shown.resume();
      });
      const isShown = new Promise((resolve) => shown.once("close", resolve));
      stdin.pipe(typed);
      shown.pipe(stdout, { end: false });
      cleanup.add(() => stdin.unpipe(typed).pause());
      await child.result.catch(() => undefined);
      await Promise.race([isShown, later(MOST_DRAIN)]);
    },
    restore: () => cleanup.run(),
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

/** Puts the caller's terminal into raw mode, keeps the sizes equal, and restores the modes whenever this process stops. */
function setModes(child: SandboxChild, cleanup: Cleanup): void {
  const { stdout } = process;
  const resize = (): void => void child.resize(stdout.columns, stdout.rows);
  setRaw(true);
  cleanup.add(() => setRaw(false));
  cleanup.on(process, "exit", () => setRaw(false));
  for (const signal of FATAL) {
    cleanup.on(process, signal, () => {
      cleanup.run();
      process.kill(process.pid, signal);
    });
  }
  if (stdout.isTTY) cleanup.on(stdout, "resize", resize);
  // These are sent by another process: Ctrl-Z goes to the program's terminal, which sends the program a signal.
  cleanup.on(process, "SIGTSTP", () => setRaw(false));
  cleanup.on(process, "SIGCONT", () => {
    setRaw(true);
    if (stdout.isTTY) resize();
  });
}

function setRaw(isRaw: boolean): void {
  const { stdin } = process;
  // A terminal that was closed has no modes to restore.
  if (stdin.isTTY && !stdin.destroyed) stdin.setRawMode(isRaw);
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
