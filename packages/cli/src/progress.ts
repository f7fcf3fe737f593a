import type { ImageOptions, Progress } from "@sandboxlib/image";
import { type Output, printable } from "./output.js";
import { interruptible } from "./signals.js";

/** Work on an image, which can take long. */
interface Work {
  /** Shows on a terminal how far the work has come. */
  readonly onProgress: (progress: Progress) => void;
  /** Aborted by signals. */
  readonly signal: AbortSignal;
  /** Catches signals during the work, and clears the progress line at the end. @throws Interrupted */
  readonly during: <Type>(work: () => Promise<Type>) => Promise<Type>;
}

/** Milliseconds. Shorter work shows no progress. */
const SHOWN_AFTER = 500;
const CLEAR_LINE = "\r\u001b[K";

/**
 * Starts work that is shown on a terminal and ended by signals.
 *
 * @param what - What is being done, such as `unpacking alpine.tar`.
 */
export function workOn(what: string, stderr: Output): Work {
  const start = performance.now();
  const { signal, during } = interruptible();
  let shown = false;
  return {
    onProgress({ read, total }) {
      if (stderr.live !== true || total === 0 || performance.now() - start < SHOWN_AFTER) return;
      const percent = Math.min(100, Math.floor((100 * read) / total));
      stderr.write(CLEAR_LINE + progressLine(printable(what), percent, process.stderr.columns));
      shown = true;
    },
    signal,
    during: async (work) =>
      during(work).finally(() => {
        if (shown) stderr.write(CLEAR_LINE);
      }),
  };
}

/**
 * The line that shows progress. It is cut in the middle of what is being done: a longer one than the terminal is wide could
 * not be overwritten.
 *
 * @param columns - How wide the terminal is. Default: 80.
 */
export function progressLine(what: string, percent: number, columns = 80): string {
  const [start, end] = ["sandboxlib: ", `: ${percent}%`];
  // The last column stays free, since some terminals begin a new line after it.
  const room = Math.max(0, columns - 1 - start.length - end.length);
  const characters = Array.from(what);
  if (characters.length <= room) return start + what + end;
  const kept = Math.max(0, room - 1);
  const tail = Math.floor(kept / 2);
  const cut = [
    ...characters.slice(0, kept - tail),
    ...(room > 0 ? ["…"] : []),
    ...characters.slice(characters.length - tail),
  ];
  return (start + cut.join("") + end).slice(0, Math.max(0, columns - 1));
}

/** Opening an image, which can take long when it has to be unpacked. */
export interface Unpacking {
  /** Report progress and let signals abort the work. To be passed to what opens the image. */
  readonly options: Pick<ImageOptions, "onProgress" | "onWait" | "signal">;
  /** Catches signals while an image is opened, and clears the progress line at the end. @throws Interrupted */
  readonly during: Work["during"];
}

/** Shows on a terminal how far the unpacking of an image has come, and anywhere which lock it waits for. */
export function unpackingOf(path: string, stderr: Output): Unpacking {
  const { onProgress, signal, during } = workOn(`unpacking ${path}`, stderr);
  const onWait = (lock: string): void =>
    stderr.write(
      `sandboxlib: waiting until ${printable(path)} can be unpacked: another process has locked ${printable(lock)}\n`,
    );
  return { options: { onProgress, onWait, signal }, during };
}
