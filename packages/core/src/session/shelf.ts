import type { Socket } from "node:net";
import { Live } from "../channel/live.js";
import type { Prepared } from "../launch/prepared.js";
import type { LauncherPlan } from "../plan/plan.js";

/** Sandboxes that are set up ahead of their command. */
export class Shelf {
  readonly #prepared: Prepared<LauncherPlan>;
  readonly #size: number;
  readonly #waiting: Live[] = [];
  /** Those that run a command, too. */
  readonly #all = new Set<Live>();
  #isClosed = false;

  constructor(prepared: Prepared<LauncherPlan>, size: number) {
    this.#prepared = prepared;
    this.#size = size;
    this.#fill();
  }

  /**
   * The sandbox that has waited longest, or a new one when none is left.
   *
   * @throws SandboxError `LAUNCH_FAILED`
   */
  take(): Live {
    const live = this.#waiting.shift() ?? this.#open();
    for (const handle of handlesOf(live)) handle.ref();
    this.#fillLater();
    return live;
  }

  /** Resolves when there are enough of them; rejects when one cannot be set up. */
  async filled(): Promise<void> {
    do {
      this.#fill();
      await Promise.all(this.#waiting.map((live) => live.ready));
    } while (this.#waiting.length < this.#size && !this.#isClosed);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closing = [...this.#all].map(({ channel }) => {
      channel.hangUp();
      return channel.closed;
    });
    await Promise.all(closing);
  }

  #fill(): void {
    while (!this.#isClosed && this.#waiting.length < this.#size) this.#waiting.push(this.#open());
  }

  /** To start one takes this process a millisecond, which the run that has just begun need not wait for. */
  #fillLater(): void {
    setTimeout(() => {
      if (!this.#isClosed && this.#waiting.length < this.#size) this.#waiting.push(this.#open());
    }, REFILL_AFTER).unref();
  }

  #open(): Live {
    const live = new Live(this.#prepared, "run", ["pipe", "pipe", "pipe", "pipe"]);
    this.#all.add(live);
    for (const handle of handlesOf(live)) handle.unref();
    const gone = (): void => {
      this.#all.delete(live);
      const index = this.#waiting.indexOf(live);
      if (index !== -1) this.#waiting.splice(index, 1);
    };
    live.channel.closed.then(gone, gone);
    return live;
  }
}

/** Milliseconds. */
const REFILL_AFTER = 5;

function handlesOf({ channel: { child } }: Live): { ref(): void; unref(): void }[] {
  return [child, ...(child.stdio as unknown as Socket[])];
}
