import type { Readable, Writable } from "node:stream";
import type { ErrorCode } from "../result/error.js";
import type { Usage } from "../result/result.js";

/** A program that has been started, whatever kind of thing it is. */
export interface Running<End extends Ended = Ended> {
  /** When, in milliseconds. Core takes its own time. */
  readonly startedAt: number;
  /** The caller's ends of its standard streams, where they are pipes. */
  readonly streams: Streams;
  /**
   * Resolves when the program is gone, with everything that it started where the sandbox was its own.
   * Rejects with a SandboxError when it could not be started, or would not end.
   */
  readonly ended: Promise<End>;
  /** Sends a signal to the program; false when there is none any more. */
  signal(name: NodeJS.Signals): boolean;
  /** Whether there is no program yet that could get a signal; only where that can be told. */
  isStarting?(): boolean;
  /** Ends everything at once; false when it has ended already. */
  kill(): boolean;
  /**
   * Removes what the program needed on the host, or elsewhere, once it has ended: that is no part of its time.
   * Rejects with a SandboxError, `CLEANUP_FAILED`.
   */
  remove?(): Promise<void>;
  /** Gives its terminal another size; only where it has one. */
  resize?(size: WindowSize): boolean;
}

/** The caller's ends of the standard streams. */
export interface Streams {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

/** How a program ended. */
export interface Ended {
  /**
   * What became of it.
   *
   * @param stderr - The end of its standard error, where it was captured.
   */
  verdict(stderr: string): Verdict;
  readonly usage?: Omit<Usage, "wallTime">;
  /** The memory limit, in bytes, where it was hit and a process has been killed for it. */
  readonly outOfMemory?: number;
}

/** What became of the program, or why there was none. */
export type Verdict =
  | { readonly kind: "exited"; readonly exitCode: number }
  | {
      readonly kind: "signaled";
      readonly signal: NodeJS.Signals;
      /** Only where it is known to have left one. */
      readonly coreDumped?: boolean;
    }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint?: string;
      /** The config field at fault. */
      readonly path?: string;
      /** Whether it is known that the program had not begun. */
      readonly isUnbegun?: boolean;
    };

/** The size of a terminal's window, in characters. */
export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Where a standard stream of a program leads: nowhere, to this process by a pipe, or to an fd of this process. A `relay`
 * is a pipe that a program can open by the name of /dev/stdin or /dev/stdout, as it could what this process copies.
 */
export type StdioTarget = "discard" | "pipe" | "relay" | number;

/** The standard streams of a program. No fd among them is a file, a directory or a device but a terminal. */
export interface StdioTargets {
  readonly stdin: StdioTarget;
  readonly stdout: StdioTarget;
  /** `stdout`: the same place, in the order written. */
  readonly stderr: StdioTarget | "stdout";
  /** Fds above 2 to hand on under the same numbers. */
  readonly passFds?: readonly number[];
}
