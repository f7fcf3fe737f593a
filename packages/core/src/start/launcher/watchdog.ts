/** Milliseconds that another process may be silent while an answer is expected of it. */
const SILENCE = 5_000;

/**
 * Watches over a process of which answers are expected. When this process was busy, an answer may be there to be read, but
 * Node runs timers before it reads. So the watchdog waits for one more turn of the event loop before it acts.
 */
export class Watchdog {
  readonly #onEnd: () => void;
  #expected = 0;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  /** @param onEnd - Called when it has been silent for five seconds and an answer is still expected. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** One answer more is expected. */
  expect(): void {
    this.#expected += 1;
    if (this.#expected === 1) this.#wait();
  }

  /** An answer has come. */
  answered(): void {
    this.#expected -= 1;
    if (this.#expected === 0) this.#clear();
  }

  /** The process is not silent. */
  heard(): void {
    if (this.#expected === 0) return;
    this.#clear();
    this.#wait();
  }

  /** No answer is expected any more. */
  stop(): void {
    this.#expected = 0;
    this.#clear();
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#look = setImmediate(this.#onEnd);
    }, SILENCE).unref();
  }

  #clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
  }
}
