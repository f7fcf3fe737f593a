import type { Running } from "../backend/running.js";
import type { Config } from "../config/types.js";
import type { Stop } from "./outcome.js";

/** How long a run may take, in seconds, and how it is ended then. */
export interface DeadlineTerms {
  readonly wallTime: number | undefined;
  readonly stop: Config["stop"];
}

/** What ends a run from outside. */
export interface Deadline {
  /** Ends it: a time-out or an abort as gently as the config has it, everything else at once. The first reason counts. */
  readonly stop: (reason: Stop) => void;
  /** Says that it is over, and after how many seconds; gives the reason why it was ended, if it was. */
  readonly over: (wallTime: number) => Stop | undefined;
  /** Whether everything was ended, and the program has not come to an end of its own. */
  readonly hasKilled: () => boolean;
}

/** Sets everything that may end a run from outside. */
export function deadline(
  running: Running,
  { wallTime, stop: gentle }: DeadlineTerms,
  signal: AbortSignal | undefined,
): Deadline {
  let reason: Stop | undefined;
  let killed = false;
  let grace: NodeJS.Timeout | undefined;
  let isOver = false;
  const kill = (): void => {
    killed = running.kill() || killed;
  };
  const stopGently = (how: NonNullable<Config["stop"]>, mayWait: boolean): void => {
    if (isOver) return;
    if (running.isStarting?.() === true) {
      // What the tool has told of its program may be in the pipe, and is here after a turn of the event loop. A program
      // that is not there then must not begin any more.
      if (mayWait) setImmediate(() => setImmediate(() => stopGently(how, false)));
      else kill();
      return;
    }
    running.signal(how.signal);
    // One that is stopped can only then act on it.
    running.signal("SIGCONT");
    grace = setTimeout(kill, how.grace * 1000);
  };
  const stop = (why: Stop): void => {
    const isGentle = gentle !== undefined && typeof why === "string";
    if (!isGentle) kill();
    else if (reason === undefined) stopGently(gentle, true);
    reason ??= why;
  };
  const timer =
    wallTime === undefined ? undefined : setTimeout(() => stop("timed-out"), wallTime * 1000);
  const abort = (): void => stop("aborted");
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) {
    reason = "aborted";
    // There is no program yet that could end gently.
    kill();
  }
  return {
    stop,
    over(took) {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(grace);
      signal?.removeEventListener("abort", abort);
      // Where this process was busy, it may hear of the end before the timer.
      return reason ?? (wallTime !== undefined && took >= wallTime ? "timed-out" : undefined);
    },
    hasKilled: () => killed,
  };
}
