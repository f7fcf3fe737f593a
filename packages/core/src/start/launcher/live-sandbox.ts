import type { LauncherPlan, LauncherSetup, Report } from "../../backend/plan.js";
import type { Group } from "../../cgroup/group.js";
import { startTimeOf } from "../../host/processes.js";
import { SandboxError } from "../../result/error.js";
import type { Enforced } from "../../result/result.js";
import { Checker } from "../../verify/checker.js";
import { type Masks, masksOf } from "../../verify/masks.js";
import { isHeld, type Prepared } from "../prepared.js";
import type { CheckedEnd } from "../started.js";
import type { Channel, Open } from "./channel.js";
import { type Command, encodeCommand } from "./command.js";
import { exitEnding, failedEnding } from "./ending.js";
import type { Entered } from "./enter-cgroup.js";
import { failureOf } from "./failure.js";
import { countCommand } from "./large-pipes.js";
import type { Failed, Message, Pipes, Ready } from "./message.js";
import type { OwnChannel } from "./own-launcher.js";
import { reportOf } from "./ready.js";
import { encodeSetup, type Mode } from "./setup.js";

interface Waiting {
  readonly command: Command;
  readonly onPipes: ((fds: Pipes["fds"]) => void) | undefined;
  readonly resolve: (ended: CheckedEnd) => void;
  readonly reject: (error: unknown) => void;
  /** It is no longer there. */
  readonly uncount: () => void;
}

/** A sandbox that a launcher sets up and keeps until it is ended. */
export class LiveSandbox<AnyChannel extends Channel = OwnChannel> {
  readonly channel: AnyChannel;
  /** Its cgroup, where it has one. The channel is closed when that is removed. */
  readonly group: Group | undefined;
  /** Resolves when it is set up and has been verified; rejects with a SandboxError. */
  readonly ready: Promise<void>;
  readonly #prepared: Prepared<LauncherPlan>;
  readonly #setup: LauncherSetup;
  readonly #mode: Mode;
  readonly #first: Command | undefined;
  /** What is sent once it has been verified: its first command, and what concerns that. */
  #held: Buffer[] | undefined;
  readonly #commands = new Map<number, Waiting>();
  readonly #checker: Checker;
  #isReady = false;
  /** Whether the launcher has said that it is set up. It begins with the first command without being told to. */
  #isSetUp = false;
  /** Undefined after the last look. */
  #masks: Masks | undefined;
  #fault: SandboxError | undefined;
  /** What makes an error of it, once it is gone. */
  #lost: (() => unknown) | undefined;
  #settleReady: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  /**
   * Starts it.
   *
   * @param first - Its only command. It goes with the set-up, unless it is to wait for the verification.
   * @throws SandboxError `LAUNCH_FAILED`
   */
  constructor(
    prepared: Prepared<LauncherPlan>,
    { setup, group }: Entered,
    mode: Mode,
    open: Open<AnyChannel>,
    first?: Command,
  ) {
    this.#prepared = prepared;
    this.#setup = setup;
    this.#checker = new Checker(prepared);
    this.group = group;
    this.ready = new Promise<void>((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    this.#mode = mode;
    this.#first = first;
    if (first !== undefined && isHeld(prepared.verification)) this.#held = [encodeCommand(first)];
    this.#masks = masksOf(prepared.config);
    const channel = this.#open(open);
    channel.closed.then(
      (reason) => {
        this.#lookAtMasks();
        this.#lose(() => this.#fault ?? reason());
      },
      (error: unknown) => this.#lose(() => error),
    );
    this.channel = { ...channel, closed: endGroup(channel.closed, this.group) };
  }

  #open(open: Open<AnyChannel>): AnyChannel {
    try {
      const initialBytes = (): Buffer => {
        const setup = encodeSetup(this.#setup, this.#mode);
        return this.#first === undefined || this.#held !== undefined
          ? setup
          : Buffer.concat([setup, encodeCommand(this.#first)]);
      };
      return open(initialBytes, (message) => this.#hear(message));
    } catch (error) {
      this.group?.end().catch(() => undefined);
      throw error;
    }
  }

  /**
   * Starts a command. Resolves when it has ended; rejects when a process of it would not end.
   *
   * @throws SandboxError `LAUNCH_FAILED` for one that is too long.
   */
  start(command: Command, onPipes?: (fds: Pipes["fds"]) => void): Promise<CheckedEnd> {
    const frame = command === this.#first ? undefined : encodeCommand(command);
    const isSound = this.isSound();
    this.#masks?.watch(() => this.#lookAtMasks());
    return new Promise<CheckedEnd>((resolve, reject) => {
      const uncount = countCommand();
      this.#commands.set(command.id, { command, onPipes, resolve, reject, uncount });
      if (this.#lost !== undefined) this.#lose(this.#lost);
      else if (frame !== undefined && isSound) this.channel.send(frame);
    });
  }

  /** Whether everything hidden is still hidden. A sandbox in which it is not is ended. */
  isSound(): boolean {
    if (this.isReady()) this.#lookAtMasks();
    return this.#fault === undefined;
  }

  /** Sends a frame, after the first command where that is held. */
  send(frame: Buffer): void {
    if (this.#held === undefined) this.channel.send(frame);
    else this.#held.push(frame);
  }

  /** Whether it has been set up and verified. */
  isReady(): boolean {
    return this.#isReady;
  }

  /** Whether a command is still there. */
  isRunning(id: number): boolean {
    return this.#commands.has(id);
  }

  #hear(message: Message): void {
    if (message.type === "ready") {
      this.#isSetUp = true;
      return this.#check(message);
    }
    if (message.type === "failed" && message.id === 0) {
      this.#fault ??= this.#failure(message);
      this.channel.hangUp(); // The launcher waits for it, so that what it said is read.
      return;
    }
    const waiting = this.#commands.get(message.id);
    if (waiting === undefined) return;
    if (message.type === "pipes") return waiting.onPipes?.(message.fds);
    this.#commands.delete(message.id);
    waiting.uncount();
    this.#lookAtMasks();
    if (this.#commands.size === 0) this.#restMasks();
    // The launcher waits for it: a signal that is sent as it ends would keep Node from reading what it said. One with a
    // terminal may take its time. Off the way of the result.
    if (this.#mode === "run" && waiting.command.window === undefined)
      setImmediate(this.channel.hangUp);
    if (message.type === "exited") waiting.resolve(exitEnding(message, this.#enforcement));
    else waiting.resolve(failedEnding(this.#failure(message, waiting.command), this.#enforcement));
  }

  /** Verifies the set-up. A sandbox that is not as it should be is ended. */
  #check(ready: Ready): void {
    try {
      const report = reportOf(ready, this.#setup);
      this.#verify(report, ready.initPid);
      this.#masks?.read(ready.initPid);
      const bare = this.#masks?.fault();
      if (bare !== undefined) throw bare;
      this.#isReady = true;
      this.#settleReady?.resolve();
      const held = this.#held?.splice(0) ?? [];
      this.#held = undefined;
      for (const frame of held) this.channel.send(frame);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      this.#fault = error;
      this.channel.hangUp();
    }
  }

  #verify(report: Report, pid: number): void {
    const { verification } = this.#prepared;
    if (verification.when === "never") return;
    const isThere = (): boolean => startTimeOf(pid) !== undefined;
    if (!this.#checker.checkNamespaces(report) || !this.#checker.checkSetUp(pid, isThere))
      this.#checker.enforced();
    verification.hasPassed = true;
  }

  #lookAtMasks(): void {
    if (this.#fault !== undefined) return;
    this.#fault = this.#masks?.fault();
    if (this.#fault !== undefined) this.channel.hangUp();
  }

  /** Stops looking at the masks while nothing runs, or for good. */
  #restMasks(isOver = this.#mode === "run"): void {
    if (!isOver) return this.#masks?.unwatch();
    this.#masks?.close();
    this.#masks = undefined;
  }

  readonly #enforcement = (): readonly Enforced[] => {
    if (this.#fault?.code === "VERIFY_FAILED") throw this.#fault;
    return this.#checker.enforced();
  };

  #failure(failed: Failed, command?: Command): SandboxError {
    const { config } = this.#prepared;
    const { cwd, env, limits, argv } = { ...config, argv: [], ...command };
    return failureOf(failed, { ...config, cwd, env, limits }, argv[0] ?? "");
  }

  #lose(lost: () => unknown): void {
    this.#lost = lost;
    this.#restMasks(true);
    if (!this.#isReady) this.#settleReady?.reject(lost());
    for (const { resolve, reject, uncount } of this.#commands.values()) {
      uncount();
      const reason = lost();
      if (reason instanceof SandboxError && reason.code !== "CLEANUP_FAILED")
        resolve(failedEnding(reason, this.#enforcement, !this.#isSetUp));
      else reject(reason);
    }
    this.#commands.clear();
  }
}

function endGroup(closed: Channel["closed"], group: Group | undefined): Channel["closed"] {
  if (group === undefined) return closed;
  const removed = (async (): Promise<() => SandboxError> => {
    try {
      return await closed;
    } finally {
      await group.end();
    }
  })();
  removed.catch(() => undefined);
  return removed;
}
