import { constants } from "node:os";
import type { SandboxChild, SandboxResult } from "@sandboxlib/core";

/** What asks for an end. */
export const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Whoever started us (npm, a shell) may hand on what the terminal has already sent us: that is one signal, not two. */
const SAME_SIGNAL = 200;

/** Signals of this process on their way to the program. */
export interface Forwarding {
  /** Sends what has come so far, and what comes from now on. */
  to(child: Pick<SandboxChild, "kill">): void;
  /** The signal of which a run has ended, by its result; undefined when the program came to an end of its own. */
  endedBy(
    result: Pick<SandboxResult, "outcome" | "exitCode" | "signal">,
  ): NodeJS.Signals | undefined;
  /** Leaves signals to do what they do by default. */
  stop(): void;
}

/**
 * Catches the signals that ask for an end: the first goes to the program, a second one ends everything. When this
 * process is to stop, as with Ctrl-Z, the program does, too.
 */
export function forwardSignals(): Forwarding {
  const came: NodeJS.Signals[] = [];
  let child: Pick<SandboxChild, "kill"> | undefined;
  let last: { signal: NodeJS.Signals; at: number } | undefined;
  const sent = (index: number): NodeJS.Signals | undefined => (index === 0 ? came[0] : "SIGKILL");
  const deliver = (index: number): void => void child?.kill(sent(index));
  const listener = (signal: NodeJS.Signals): void => {
    const at = performance.now();
    if (last?.signal === signal && at - last.at < SAME_SIGNAL) return;
    last = { signal, at };
    deliver(came.push(signal) - 1);
  };
  for (const signal of FORWARDED) process.on(signal, listener);
  const goOn = stopWith((signal) => void child?.kill(signal));
  return {
    to(started) {
      child = started;
      for (const index of came.keys()) deliver(index);
    },
    endedBy: (result) => came.find((_, index) => diedOf(result, sent(index))),
    stop() {
      goOn();
      for (const signal of FORWARDED) process.off(signal, listener);
    },
  };
}

/** SIGTSTP would do nothing to the program, whose process group nobody could continue. Returns what undoes it. */
function stopWith(send: (signal: "SIGSTOP" | "SIGCONT") => void): () => void {
  let isStopped = false;
  const stop = (): void => {
    send("SIGSTOP");
    isStopped = true;
    // When the others who listen have done what they have to before.
    setImmediate(() => process.kill(process.pid, "SIGSTOP"));
  };
  const goOn = (): void => {
    if (isStopped) send("SIGCONT");
    isStopped = false;
  };
  process.on("SIGTSTP", stop).on("SIGCONT", goOn);
  return () => void process.off("SIGTSTP", stop).off("SIGCONT", goOn);
}

/** A shell says 128+n for what died of a signal, and so does a backend that cannot tell the two apart. */
function diedOf(
  { outcome, exitCode, signal }: Pick<SandboxResult, "outcome" | "exitCode" | "signal">,
  sent: NodeJS.Signals | undefined,
): boolean {
  if (sent === undefined) return false;
  if (outcome === "signaled") return signal === sent;
  return outcome === "exited" && exitCode === 128 + constants.signals[sent];
}
