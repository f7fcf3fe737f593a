import type { Streams } from "../backend/running.js";
import type { Exceeded } from "../result/result.js";
import { type Capture, capture } from "./capture.js";
import { drained } from "./drain.js";
import type { RunOptions } from "./options.js";

/** Everything that is captured of a run. */
export interface Captures {
  /** The first limit that was exceeded. */
  readonly overrun: () => Exceeded | undefined;
  /** What standard output and standard error came to, once the run is over. */
  readonly drained: () => Promise<[Uint8Array | undefined, Uint8Array | undefined]>;
  /** Closes what is still open. */
  readonly cut: () => void;
}

const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * Starts to capture what the options say.
 *
 * @param onOverrun - Called when an output has more bytes than are to be captured.
 */
export function startCaptures(
  streams: Streams,
  { stdout, stderr, maxOutput = DEFAULT_MAX_OUTPUT }: RunOptions,
  onOverrun: (limit: Exceeded) => void,
): Captures {
  let overrun: Exceeded | undefined;
  const start = (
    limit: "stdout" | "stderr",
    option = "capture" as unknown,
  ): Capture | undefined => {
    const stream = streams[limit];
    if (option !== "capture" || stream === null) return undefined;
    return capture(stream, maxOutput, () => {
      overrun ??= { limit, bytes: maxOutput };
      onOverrun(overrun);
    });
  };
  const captured = [start("stdout", stdout), start("stderr", stderr)] as const;
  return {
    overrun: () => overrun,
    drained: () => Promise.all([drained(captured[0]), drained(captured[1])]),
    cut() {
      for (const each of captured) each?.cut();
    },
  };
}
