import type { ImageOptions, Progress } from "@sandboxlib/image";
import { type Output, printable } from "./output.js";
import { interruptible } from "./signals.js";

/** Opening an image, which can take long when it has to be unpacked. */
export interface Unpacking {
  /** Report progress and let signals abort the work. To be passed to what opens the image. */
  readonly options: Pick<ImageOptions, "onProgress" | "onWait" | "signal">;
  /** Catches signals while an image is opened, and clears the progress line at the end. @throws Interrupted */
  readonly during: <Type>(open: () => Promise<Type>) => Promise<Type>;
}

/** Milliseconds. Shorter work shows no progress. */
const SHOWN_AFTER = 500;
const CLEAR_LINE = "\r\u001b[K";

/** Shows on a terminal how far the unpacking of an image has come, and anywhere which lock it waits for. */
export function unpackingOf(path: string, stderr: Output): Unpacking {
  const start = performance.now();
  const { signal, during } = interruptible();
  let shown = false;
  const onProgress = ({ read, total }: Progress): void => {
    if (stderr.live !== true || total === 0 || performance.now() - start < SHOWN_AFTER) return;
    const percent = Math.min(100, Math.floor((100 * read) / total));
    stderr.write(`${CLEAR_LINE}sandboxlib: unpacking ${printable(path)}: ${percent}%`);
    shown = true;
  };
  const onWait = (lock: string): void =>
    stderr.write(
      `sandboxlib: waiting until ${printable(path)} can be unpacked: another process has locked ${printable(lock)}\n`,
    );
  return {
    options: { onProgress, onWait, signal },
    during: async (open) =>
      during(open).finally(() => {
        if (shown) stderr.write(CLEAR_LINE);
      }),
  };
}
