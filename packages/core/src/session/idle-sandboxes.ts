import type { LauncherPlan } from "../backend/plan.js";
import type { Streams } from "../backend/running.js";
import { SandboxError } from "../result/error.js";
import { enterCgroup } from "../start/launcher/enter-cgroup.js";
import { type KeepAlive, keepAlive } from "../start/launcher/keep-alive.js";
import { LiveSandbox } from "../start/launcher/live-sandbox.js";
import { ownLauncher } from "../start/launcher/own-launcher.js";
import { streamsOn } from "../start/launcher/run.js";
import { openStdio } from "../start/open-stdio.js";
import type { Prepared } from "../start/prepared.js";

/** A sandbox that waits for its command, and our ends of the pipes that this will have. */
export interface IdleSandbox {
  readonly live: LiveSandbox;
  readonly streams: Streams;
}

/** Sandboxes that are set up ahead of their command. */
export class IdleSandboxes {
  readonly #prepared: Prepared<LauncherPlan>;
  readonly #size: number;
  readonly #waiting: IdleSandbox[] = [];
  /** All of them: those that wait and those that run a command. */
  readonly #all = new Map<LiveSandbox, KeepAlive>();
  #isClosed = false;

  constructor(prepared: Prepared<LauncherPlan>, size: number) {
    this.#prepared = prepared;
    this.#size = size;
  }

  /**
   * The sandbox that has waited longest, or a new one when none is left.
   *
   * @throws SandboxError `LAUNCH_FAILED`, also after {@link close}.
   */
  take(): IdleSandbox {
    if (this.#isClosed) throw new SandboxError("LAUNCH_FAILED", "the pool has been closed");
    let idle = this.#waiting.shift();
    // This process may not have heard yet of one that was killed while it waited.
    while (idle !== undefined && !(idle.live.channel.isOpen() && idle.live.isSound())) {
      destroyAll(idle.streams);
      this.#fillLater();
      idle = this.#waiting.shift();
    }
    idle ??= this.#open();
    this.#all.get(idle.live)?.();
    this.#fillLater();
    return idle;
  }

  /** Resolves when there are enough of them; rejects when one cannot be set up. */
  async filled(): Promise<void> {
    do {
      this.#fill();
      await Promise.all(this.#waiting.map(({ live }) => this.#held(live, live.ready)));
    } while (this.#waiting.length < this.#size && !this.#isClosed);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const closing = [...this.#all.keys()].map((live) => {
      live.channel.hangUp();
      return this.#held(live, live.channel.closed);
    });
    await Promise.all(closing);
  }

  #fill(): void {
    while (!this.#isClosed && this.#waiting.length < this.#size) this.#waiting.push(this.#open());
  }

  /** Starts a sandbox a little later: it takes this process a millisecond, which would delay the run that has just begun. */
  #fillLater(): void {
    setTimeout(() => {
      if (this.#isClosed || this.#waiting.length >= this.#size) return;
      try {
        this.#waiting.push(this.#open());
      } catch {
        // No fds or processes are left just now. The next `take` tries again, and throws.
      }
    }, REFILL_AFTER).unref();
  }

  /** Keeps this process alive for what somebody waits for. */
  async #held<Value>(live: LiveSandbox, promise: Promise<Value>): Promise<Value> {
    const release = this.#all.get(live)?.();
    return promise.finally(release);
  }

  #open(): IdleSandbox {
    const { plan, host } = this.#prepared;
    const stdio = openStdio({ stdin: "pipe", stdout: "pipe", stderr: "pipe" }, host);
    try {
      const entered = enterCgroup(this.#prepared, false);
      const open = ownLauncher(plan, entered.setup, [...stdio.slots, "pipe"]);
      const live = new LiveSandbox(this.#prepared, entered, "run", open);
      const { child } = live.channel;
      const idle = { live, streams: { ...streamsOn(child), ...stdio.take() } };
      this.#all.set(live, keepAlive(child, idle.streams));
      const gone = (): void => this.#forget(idle);
      live.channel.closed.then(gone, gone);
      return idle;
    } finally {
      stdio.close();
    }
  }

  #forget(idle: IdleSandbox): void {
    this.#all.delete(idle.live);
    const index = this.#waiting.indexOf(idle);
    if (index === -1) return;
    this.#waiting.splice(index, 1);
    destroyAll(idle.streams);
    // If this one could not be set up, another one could not either.
    if (idle.live.isReady()) this.#fillLater();
  }
}

function destroyAll({ stdin, stdout, stderr }: Streams): void {
  for (const stream of [stdin, stdout, stderr]) stream?.destroy();
}

/** Milliseconds. */
const REFILL_AFTER = 5;
