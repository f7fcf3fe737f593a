import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { invalidImage } from "../invalid.js";

const PERIOD = 250;
const BLOCK = 512;

/**
 * Limits what a tool writes, for a tool that has no such limit itself: its files are measured four times a second.
 *
 * @returns `stop`, which throws a SandboxError `IMAGE_INVALID` when it was too much, or could not be measured.
 */
export function watchSize(
  directory: string,
  most: number,
  stopWriter: () => void,
): { stop(): void } {
  let refused: Error | undefined;
  const look = (): void => {
    try {
      if (sizeOf(directory) > most)
        refused ??= invalidImage(`it unpacks to more than ${most} bytes`);
    } catch (cause) {
      refused ??= invalidImage("it holds a directory that cannot be read", undefined, cause);
    }
    if (refused !== undefined) stopWriter();
  };
  const timer = setInterval(look, PERIOD);
  return {
    stop() {
      clearInterval(timer);
      look();
      if (refused !== undefined) throw refused;
    },
  };
}

function sizeOf(directory: string): number {
  let size = 0;
  for (const name of namesIn(directory)) {
    const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
    size += (stat?.blocks ?? 0) * BLOCK;
    if (stat?.isDirectory() === true) size += sizeOf(join(directory, name));
  }
  return size;
}

/** The tool may just have removed or replaced it. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
