import type { SandboxChild } from "@sandboxlib/core";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Whoever started us (npm, a shell) may hand on what the terminal has already sent us: that is one signal, not two. */
const SAME_SIGNAL = 200;

/** Signals of this process on their way to the program. */
export interface Forwarding {
  /** Sends what has come so far, and what comes from now on. */
  to(child: Pick<SandboxChild, "kill">): void;
  /** Leaves signals to do what they do by default. */
  stop(): void;
}

/** Catches the signals that ask for an end: the first goes to the program, a second one ends everything. */
export function forwardSignals(): Forwarding {
  const came: NodeJS.Signals[] = [];
  let child: Pick<SandboxChild, "kill"> | undefined;
  let last: { signal: NodeJS.Signals; at: number } | undefined;
  const deliver = (index: number): void => {
    if (index > 1) return;
    child?.kill(index === 0 ? came[0] : "SIGKILL");
  };
  const listener = (signal: NodeJS.Signals): void => {
    const at = performance.now();
    const again = last?.signal === signal && at - last.at < SAME_SIGNAL;
    last = { signal, at };
    if (!again) deliver(came.push(signal) - 1);
  };
  for (const signal of FORWARDED) process.on(signal, listener);
  return {
    to(started) {
      child = started;
      for (const index of came.keys()) deliver(index);
    },
    stop() {
      for (const signal of FORWARDED) process.off(signal, listener);
    },
  };
}
