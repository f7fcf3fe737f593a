import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { invalidImage } from "../invalid.js";
import { MAX_SIZE } from "../unpack/totals.js";

const PERIOD = 250;
const BLOCK = 512;

/**
 * Looks every quarter of a second how much a tool has written, for a tool that cannot be told how much it may.
 *
 * @returns what ends it. @throws SandboxError `IMAGE_INVALID` there when it was too much.
 */
export function watchSize(
  directory: string,
  maxSize: number = MAX_SIZE,
  stopWriter: () => void,
): { stop(): void } {
  let tooMuch = false;
  const timer = setInterval(() => {
    if (sizeOf(directory) <= maxSize) return;
    tooMuch = true;
    stopWriter();
  }, PERIOD);
  return {
    stop() {
      clearInterval(timer);
      if (tooMuch || sizeOf(directory) > maxSize)
        throw invalidImage(`it unpacks to more than ${maxSize} bytes`);
    },
  };
}

function sizeOf(directory: string): number {
  let size = 0;
  for (const name of readdirSync(directory)) {
    const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
    size += (stat?.blocks ?? 0) * BLOCK;
    if (stat?.isDirectory() === true) size += sizeOf(join(directory, name));
  }
  return size;
}
