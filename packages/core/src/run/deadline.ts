import type { Running } from "../backend/running.js";
import type { Config } from "../config/types.js";
import { onAbort } from "../host/abort.js";
import type { Stop } from "./outcome.js";

/** How long a run may take, in seconds, and how it is ended then. */
export interface DeadlineTerms {
  readonly wallTime: number | undefined;
  readonly stop: Config["stop"];
}

/** Ends a run from outside: at its time limit, on the abort of its signal, or when a limit of core's is exceeded. */
export interface Deadline {
  /** Ends the run. A time-out or an abort follows the config's `stop`; any other reason kills at once. The first reason counts. */
  readonly stop: (reason: Stop) => void;
  /** To be called when the program has ended, with the seconds that it took. Returns why it was ended, if it was. */
  readonly over: (wallTime: number) => Stop | undefined;
  /** Whether everything was killed, so that the program did not come to an end of its own. */
  readonly hasKilled: () => boolean;
}

/** Starts the timer of a run, and listens to its signal. */
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
      // The tool's report that the program is there may still be in the pipe, and is read within a turn of the event loop.
      // A program that has not begun by then must not begin any more.
      if (mayWait) setImmediate(() => setImmediate(() => stopGently(how, false)));
      else kill();
      return;
    }
    running.signal(how.signal);
    // A stopped program can act on the signal only when it goes on.
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
  const offAbort = onAbort(signal, abort);
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
      offAbort();
      // If this process was busy, it learns of the end before its timer fires.
      return reason ?? (wallTime !== undefined && took >= wallTime ? "timed-out" : undefined);
    },
    hasKilled: () => killed,
  };
}
