import type { Progress } from "@sandboxlib/image";
import type { Output } from "./io.js";
import { printable } from "./printable.js";

/** Shorter work is not worth a line. */
const PATIENCE = 500;
const CLEAR = "\r\u001b[K";

/** Says how far the unpacking of an image has come, on a terminal, in a line that is taken back; and what it waits for. */
export function progressOn(
  stderr: Output,
  path: string,
): {
  readonly tell: (progress: Progress) => void;
  readonly wait: (lock: string) => void;
  readonly end: () => void;
} {
  const start = performance.now();
  let shown = false;
  return {
    tell({ read, total }) {
      if (stderr.live !== true || total === 0 || performance.now() - start < PATIENCE) return;
      const percent = Math.min(100, Math.floor((100 * read) / total));
      stderr.write(`${CLEAR}sandboxlib: unpacking ${printable(path)}: ${percent}%`);
      shown = true;
    },
    wait(lock) {
      stderr.write(
        `sandboxlib: waiting until ${printable(path)} can be unpacked: another process has locked ${printable(lock)}\n`,
      );
    },
    end() {
      if (shown) stderr.write(CLEAR);
    },
  };
}
