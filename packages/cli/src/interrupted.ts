import { FORWARDED } from "./signals.js";

/** A signal has asked for an end while there was no program yet that could be given it. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

/** What signals that ask for an end stop. */
export interface Interruptible {
  /** Aborted, for the reason {@link Interrupted}, when one has come. */
  readonly signal: AbortSignal;
  /** Catches signals while something is done. */
  readonly during: <Type>(work: () => Promise<Type>) => Promise<Type>;
}

/** So long something may take, in milliseconds, to stop and remove what it has made so far. */
const PATIENCE = 3000;

/** Lets signals stop what leaves something behind when this process just dies. */
export function interruptible(): Interruptible {
  const controller = new AbortController();
  const { signal } = controller;
  return {
    signal,
    async during(work) {
      let timer: NodeJS.Timeout | undefined;
      const listener = (name: NodeJS.Signals): void => {
        controller.abort(new Interrupted(name));
        timer ??= setTimeout(dieOf, PATIENCE, name).unref();
      };
      for (const name of FORWARDED) process.on(name, listener);
      try {
        const done = await work();
        // It came too late to stop anything.
        signal.throwIfAborted();
        return done;
      } finally {
        clearTimeout(timer);
        for (const name of FORWARDED) process.off(name, listener);
      }
    },
  };
}

/** `gc` removes what is left. */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
