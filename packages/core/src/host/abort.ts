/**
 * Calls back when a signal is aborted, once. However many things wait for one signal, it has one listener: Node warns of
 * more than ten, and a caller may well have one signal for all runs.
 *
 * @returns A function that takes it back.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => undefined;
  // A function of its own, as the same one may be given twice.
  const call = (): void => act();
  const calls = waiting.get(signal) ?? listen(signal);
  calls.all.add(call);
  return () => {
    calls.all.delete(call);
    if (calls.all.size > 0) return;
    signal.removeEventListener("abort", calls.run);
    if (waiting.get(signal) === calls) waiting.delete(signal);
  };
}

interface Calls {
  readonly all: Set<() => void>;
  readonly run: () => void;
}

const waiting = new WeakMap<AbortSignal, Calls>();

function listen(signal: AbortSignal): Calls {
  const all = new Set<() => void>();
  const run = (): void => {
    for (const call of all) call();
  };
  const calls = { all, run };
  waiting.set(signal, calls);
  signal.addEventListener("abort", run, { once: true });
  return calls;
}

/** @throws the reason of a signal that has been aborted. */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw signal.reason;
}

/** What some work comes to; rejects with the reason of a signal as soon as that is aborted. */
export function orAborted<Value>(
  signal: AbortSignal | undefined,
  work: Promise<Value>,
): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const off = onAbort(signal, () => reject(signal.reason as Error));
    work.finally(off).then(resolve, reject);
  });
}
