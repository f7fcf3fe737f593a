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

/** The caller's own terminal, as far as standard input and output are one. */
export function callersTerminal(): Terminal {
  const { stdin, stdout } = process;
  const undo: (() => void)[] = [];
  const on = (emitter: NodeJS.EventEmitter, event: string, act: () => void): void => {
    emitter.on(event, act);
    undo.push(() => emitter.off(event, act));
  };
  const restore = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  const raw = (isRaw: boolean): void => {
    // A terminal that was closed has no modes to restore.
    if (stdin.isTTY && !stdin.destroyed) stdin.setRawMode(isRaw);
  };
  const follow = (child: SandboxChild): void => {
    const resize = (): void => void child.resize(stdout.columns, stdout.rows);
    raw(true);
    undo.push(() => raw(false));
    on(process, "exit", () => raw(false));
    for (const signal of FATAL) {
      on(process, signal, () => {
        restore();
        process.kill(process.pid, signal);
      });
    }
    if (stdout.isTTY) on(stdout, "resize", resize);
    // These are sent by another process: Ctrl-Z goes to the program's terminal, which sends the program a signal.
    on(process, "SIGTSTP", () => raw(false));
    on(process, "SIGCONT", () => {
      raw(true);
      if (stdout.isTTY) resize();
    });
  };
  return {
    options: {
      tty: stdout.isTTY ? { columns: stdout.columns, rows: stdout.rows } : true,
      stdin: "pipe",
      stdout: "pipe",
    },
    async to(child) {
      follow(child);
      const { stdin: typed, stdout: shown } = child;
      if (typed === null || shown === null) return;
      // The program may end, and the caller's terminal be closed, at any time: neither is an error.
      for (const stream of [typed, shown, stdin]) on(stream, "error", () => undefined);
      on(stdout, "error", () => {
        child.kill("SIGHUP");
        shown.resume();
      });
      const isShown = new Promise((resolve) => shown.once("close", resolve));
      stdin.pipe(typed);
      shown.pipe(stdout, { end: false });
      undo.push(() => stdin.unpipe(typed).pause());
      await child.result.catch(() => undefined);
      await Promise.race([isShown, later(MOST_DRAIN)]);
    },
    restore,
  };
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
