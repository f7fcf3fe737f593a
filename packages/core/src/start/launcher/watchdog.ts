/** Milliseconds that another process may be silent for while it owes an answer. */
const PATIENCE = 5_000;

/**
 * Watches over a process that owes answers. Node runs timers before it reads: where this process was busy, the answer
 * may be there to be read, so there is a chance for that before anything is done.
 */
export class Patience {
  readonly #onEnd: () => void;
  #owed = 0;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  /** @param onEnd - Called when it has been silent for five seconds and still owes an answer. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** It owes one answer more. */
  owe(): void {
    this.#owed += 1;
    if (this.#owed === 1) this.#wait();
  }

  /** It has given one. */
  settle(): void {
    this.#owed -= 1;
    if (this.#owed === 0) this.#clear();
  }

  /** It is not silent. */
  hear(): void {
    if (this.#owed === 0) return;
    this.#clear();
    this.#wait();
  }

  /** It owes nothing any more. */
  stop(): void {
    this.#owed = 0;
    this.#clear();
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#look = setImmediate(this.#onEnd);
    }, PATIENCE).unref();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
  }
}
