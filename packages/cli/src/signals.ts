import { constants } from "node:os";
import type { SandboxChild, SandboxResult } from "@sandboxlib/core";
import { Interrupted } from "./errors.js";

/** The signals that ask a process to end. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Milliseconds. The terminal sends a signal to the whole process group, and a parent such as npm or a shell may then
 * send the same one again: within this time it counts once.
 */
const SAME_SIGNAL = 200;

/** Milliseconds that interrupted work may take to stop and to remove what it has made so far. */
const MOST_CLEANUP = 3000;

/** Hands the signals that this process gets on to the program. */
export interface Forwarding {
  /** Sends the signals that have come so far, and those that come from now on. */
  to(child: Pick<SandboxChild, "kill">): void;
  /** The signal that this process got and that ended the program; undefined when the program ended for another reason. */
  endedBy(
    result: Pick<SandboxResult, "outcome" | "exitCode" | "signal">,
  ): NodeJS.Signals | undefined;
  /** Gives signals their default effect again. */
  stop(): void;
}

/**
 * Catches the signals that ask for an end: the first is sent to the program, and a second one kills it and all that it
 * started. When this process is stopped, as with Ctrl-Z, the program is stopped too.
 */
export function forwardSignals(): Forwarding {
  const caught: NodeJS.Signals[] = [];
  let child: Pick<SandboxChild, "kill"> | undefined;
  let last: { signal: NodeJS.Signals; at: number } | undefined;
  const sent = (index: number): NodeJS.Signals | undefined => (index === 0 ? caught[0] : "SIGKILL");
  const send = (index: number): void => void child?.kill(sent(index));
  const listener = (signal: NodeJS.Signals): void => {
    const at = performance.now();
    if (last?.signal === signal && at - last.at < SAME_SIGNAL) return;
    last = { signal, at };
    send(caught.push(signal) - 1);
  };
  for (const signal of END_SIGNALS) process.on(signal, listener);
  const stopForwarding = forwardStops((signal) => void child?.kill(signal));
  return {
    to(started) {
      child = started;
      for (const index of caught.keys()) send(index);
    },
    endedBy: (result) => caught.find((_, index) => wasEndedBy(result, sent(index))),
    stop() {
      stopForwarding();
      for (const signal of END_SIGNALS) process.off(signal, listener);
    },
  };
}

/**
 * Stops and continues the program together with this process. It gets SIGSTOP and not SIGTSTP, which the kernel ignores
 * for its process group, as that is an orphaned one. Returns a function that ends this.
 */
function forwardStops(send: (signal: "SIGSTOP" | "SIGCONT") => void): () => void {
  let isStopped = false;
  const stop = (): void => {
    send("SIGSTOP");
    isStopped = true;
    // Later, so that the other listeners of SIGTSTP run before this process stops.
    setImmediate(() => process.kill(process.pid, "SIGSTOP"));
  };
  const resume = (): void => {
    if (isStopped) send("SIGCONT");
    isStopped = false;
  };
  process.on("SIGTSTP", stop).on("SIGCONT", resume);
  return () => void process.off("SIGTSTP", stop).off("SIGCONT", resume);
}

/** Whether a signal ended the program. A shell, and a backend that cannot see the signal, report 128+n as exit code. */
function wasEndedBy(
  { outcome, exitCode, signal }: Pick<SandboxResult, "outcome" | "exitCode" | "signal">,
  sent: NodeJS.Signals | undefined,
): boolean {
  if (sent === undefined) return false;
  if (outcome === "signaled") return signal === sent;
  return outcome === "exited" && exitCode === 128 + constants.signals[sent];
}

/** Several running programs that get signals as if they were one. */
export class ProgramGroup {
  readonly #running = new Set<SandboxChild>();
  /** A signal that came while no program ran. The next one gets it. */
  #pending: NodeJS.Signals | undefined;

  /** Adds a program until it has ended. */
  async add(child: SandboxChild): Promise<SandboxResult> {
    this.#running.add(child);
    if (this.#pending !== undefined) child.kill(this.#pending);
    this.#pending = undefined;
    return child.result.finally(() => this.#running.delete(child));
  }

  /** Sends a signal to all of them. Returns whether it reached at least one. */
  kill(signal: NodeJS.Signals = "SIGTERM"): boolean {
    const isKept = signal !== "SIGSTOP" && signal !== "SIGCONT";
    if (this.#running.size === 0 && isKept) this.#pending = signal;
    return [...this.#running].map((child) => child.kill(signal)).includes(true);
  }
}

/** Work that a signal can abort. */
export interface Interruptible {
  /** Aborted with {@link Interrupted} as the reason when a signal has asked for an end. */
  readonly signal: AbortSignal;
  /** Catches signals while the work is done. @throws Interrupted also when the signal came too late to abort it. */
  readonly during: <Type>(work: () => Promise<Type>) => Promise<Type>;
}

/** Lets signals abort work that would leave something behind if this process just died. */
export function interruptible(): Interruptible {
  const controller = new AbortController();
  const { signal } = controller;
  return {
    signal,
    async during(work) {
      let timer: NodeJS.Timeout | undefined;
      const listener = (name: NodeJS.Signals): void => {
        controller.abort(new Interrupted(name));
        timer ??= setTimeout(dieOf, MOST_CLEANUP, name).unref();
      };
      for (const name of END_SIGNALS) process.on(name, listener);
      try {
        const done = await work();
        signal.throwIfAborted();
        return done;
      } finally {
        clearTimeout(timer);
        for (const name of END_SIGNALS) process.off(name, listener);
      }
    },
  };
}

/** Gives up on the cleanup: `sandboxlib gc` removes what is left. */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
