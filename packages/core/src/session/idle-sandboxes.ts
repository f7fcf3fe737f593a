import type { LauncherPlan } from "../backend/plan.js";
import type { StdioTargets, WindowSize } from "../backend/running.js";
import type { Word } from "../config/text.js";
import { SandboxError } from "../result/error.js";
import type { Channel } from "../start/launcher/channel.js";
import { type IdleSandbox, idleOwn } from "../start/launcher/idle-sandbox.js";
import type { LiveSandbox } from "../start/launcher/live-sandbox.js";
import type { Prepared } from "../start/prepared.js";
import { forkedStarter } from "../start/start.js";
import type { Started } from "../start/started.js";

/** Sandboxes that are set up ahead of their command. */
export class IdleSandboxes {
  readonly #prepared: Prepared<LauncherPlan>;
  readonly #size: number;
  readonly #waiting: IdleSandbox[] = [];
  /** All of them: those that wait and those that run a command. What keeps this process alive for each. */
  readonly #all = new Map<LiveSandbox<Channel>, IdleSandbox["hold"]>();
  /** How many runs wait for a sandbox of their own. */
  #starting = 0;
  #isClosed = false;

  constructor(prepared: Prepared<LauncherPlan>, size: number) {
    this.#prepared = prepared;
    this.#size = size;
  }

  /**
   * Starts a command in the sandbox that has waited longest, or in a new one when none is left. Resolves when its streams
   * are there.
   *
   * @throws SandboxError `LAUNCH_FAILED`, also after {@link close}; what goes wrong later rejects `ended`.
   */
  async run(
    argv: readonly Word[],
    targets: StdioTargets,
    window: WindowSize | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Started> {
    const idle = this.#take();
    if (idle !== undefined) return this.#refilled(await idle.run(argv, targets, window, signal));
    const forked = forkedStarter();
    if (forked === undefined) return this.#ownNow().run(argv, targets, window, signal);
    const onLive = (live: LiveSandbox<Channel>): void => this.#starts(live);
    return forked.startForked(this.#prepared, argv, targets, window, signal, onLive);
  }

  /** The same where the streams have to be there at once. */
  spawn(argv: readonly Word[], targets: StdioTargets, window: WindowSize | undefined): Started {
    const idle = this.#take((each) => each.hasStreams());
    if (idle === undefined) return this.#ownNow().spawn(argv, targets, window);
    return this.#refilled(idle.spawn(argv, targets, window));
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

  /** Takes the sandbox that has waited longest, of those that will do. It keeps this process alive from now on. */
  #take(willDo: (idle: IdleSandbox) => boolean = () => true): IdleSandbox | undefined {
    if (this.#isClosed) throw new SandboxError("LAUNCH_FAILED", "the pool has been closed");
    for (let index = 0; index < this.#waiting.length; ) {
      const idle = this.#waiting[index] as IdleSandbox;
      // This process may not have heard yet of one that was killed while it waited.
      const isThere = idle.live.channel.isOpen() && idle.live.isSound();
      if (isThere && !willDo(idle)) {
        index += 1;
        continue;
      }
      this.#waiting.splice(index, 1);
      setTimeout(() => this.#refill(), REFILL_AFTER).unref();
      if (isThere) return this.#heldToEnd(idle);
      idle.drop();
    }
    return undefined;
  }

  /** One that does not wait: a run needs it now. */
  #ownNow(): IdleSandbox {
    const idle = idleOwn(this.#prepared);
    this.#track(idle.live, idle.hold);
    return this.#heldToEnd(idle);
  }

  /** Puts another sandbox in the place of the one of a run when that is over, so that it does not take from the run. */
  #refilled(running: Started): Started {
    const refill = (): void => void setImmediate(() => this.#refill());
    running.ended.then(refill, refill);
    return running;
  }

  /** While a run has to have a sandbox set up, none is set up that nobody waits for. */
  #starts(live: LiveSandbox<Channel>): void {
    this.#track(live, () => () => undefined);
    this.#starting += 1;
    const started = (): void => {
      this.#starting -= 1;
      this.#refill();
    };
    live.ready.then(started, started);
  }

  #refill(): void {
    if (this.#starting > 0) return;
    try {
      this.#fill();
    } catch {
      // No fds or processes are left just now. The next run tries again, and throws.
    }
  }

  /** Sets up what is missing, some at a time: a run that comes meanwhile has to have its share of the processors. */
  #fill(): void {
    const settingUp = (): number =>
      this.#waiting.filter(({ live }) => !live.isReady() && live.channel.isOpen()).length;
    for (let free = AT_A_TIME - settingUp(); free > 0; free -= 1) {
      if (this.#isClosed || this.#waiting.length >= this.#size) return;
      this.#waiting.push(this.#open());
    }
  }

  /** Keeps this process alive for what somebody waits for. */
  async #held<Value>(live: LiveSandbox<Channel>, promise: Promise<Value>): Promise<Value> {
    const release = this.#all.get(live)?.();
    return promise.finally(release);
  }

  #heldToEnd(idle: IdleSandbox): IdleSandbox {
    const release = idle.hold();
    idle.live.channel.closed.then(release, release);
    return idle;
  }

  #open(): IdleSandbox {
    const idle = forkedStarter()?.idleForked(this.#prepared) ?? idleOwn(this.#prepared);
    const { live } = idle;
    this.#track(live, idle.hold);
    // If this one cannot be set up, another one cannot either.
    live.ready.then(() => this.#refill()).catch(() => undefined);
    const gone = (): void => this.#forget(idle);
    live.channel.closed.then(gone, gone);
    return idle;
  }

  #track(live: LiveSandbox<Channel>, hold: IdleSandbox["hold"]): void {
    this.#all.set(live, hold);
    const gone = (): void => void this.#all.delete(live);
    live.channel.closed.then(gone, gone);
  }

  #forget(idle: IdleSandbox): void {
    const index = this.#waiting.indexOf(idle);
    if (index === -1) return;
    this.#waiting.splice(index, 1);
    idle.drop();
    if (idle.live.isReady()) this.#refill();
  }
}

/** Milliseconds after which a sandbox is replaced at the latest. */
const REFILL_AFTER = 50;

/** How many are set up at the same time. */
const AT_A_TIME = 4;
