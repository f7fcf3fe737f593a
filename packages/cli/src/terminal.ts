import type { RunOptions, SandboxChild } from "@sandboxlib/core";

/** How the caller's terminal stands for the program's. */
export interface Terminal {
  /** What the program is to be started with. */
  readonly options: RunOptions;
  /** Passes on what is typed, shown and resized, until the program has ended and all of it is shown. */
  to(child: SandboxChild): Promise<void>;
  /** Leaves the caller's terminal as it was. */
  restore(): void;
}

/** Milliseconds: nobody may be reading what a program has shown at its end. */
const LAST_WORDS = 5_000;

/** What ends this process and is not handed on: the program ends with it. */
const DEADLY: readonly NodeJS.Signals[] = [
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
    // It may be gone: then there is nothing to restore.
    if (stdin.isTTY && !stdin.destroyed) stdin.setRawMode(isRaw);
  };
  const follow = (child: SandboxChild): void => {
    const resize = (): void => void child.resize(stdout.columns, stdout.rows);
    raw(true);
    undo.push(() => raw(false));
    on(process, "exit", () => raw(false));
    for (const signal of DEADLY) {
      on(process, signal, () => {
        restore();
        process.kill(process.pid, signal);
      });
    }
    if (stdout.isTTY) on(stdout, "resize", resize);
    // From outside: what is typed goes to the program, whose terminal knows what to do about it.
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
      // The program may end, and the caller's terminal go away, at any time.
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
      await Promise.race([isShown, later(LAST_WORDS)]);
    },
    restore,
  };
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
