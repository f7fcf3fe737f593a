import type { Readable, Writable } from "node:stream";
import type { Enforced, Usage } from "../result/result.js";
import type { Verdict } from "./plan.js";

/** A program that has been started, whatever started it. */
export interface Running {
  /** When, by `performance.now()`. */
  readonly startedAt: number;
  /** Our ends of its standard streams, where they are pipes. */
  readonly streams: Streams;
  /**
   * Resolves when the program is gone, with everything that it started where the sandbox was its own.
   * Rejects with a SandboxError when it could not be started, or would not end.
   */
  readonly ended: Promise<Ended>;
  /** Sends a signal to the program; false when there is none any more. */
  signal(name: NodeJS.Signals): boolean;
  /** Whether there is no program yet that could get a signal; only where that can be told. */
  isStarting?(): boolean;
  /** Ends everything at once; false when it has ended already. */
  kill(): boolean;
  /**
   * Takes back what the host had for it, once it has ended, which is none of the program's time.
   * Rejects with a SandboxError, `CLEANUP_FAILED`.
   */
  remove?(): Promise<void>;
  /** Gives its terminal another size; only where it has one. */
  resize?(size: WindowSize): boolean;
}

/** Our ends of the standard streams. */
export interface Streams {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

/** How a program ended. */
export interface Ended {
  /** What became of it. `stderr`: the end of its standard error, where it was captured. */
  verdict(stderr: string): Verdict;
  /**
   * What was enforced.
   *
   * @throws SandboxError `VERIFY_FAILED`
   */
  enforced(): readonly Enforced[];
  readonly usage?: Omit<Usage, "wallTime">;
  /** The memory limit, in bytes, where it was hit and a process has been killed for it. */
  readonly outOfMemory?: number;
}

/** The size of a terminal's window, in characters. */
export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}
