import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { invalidImage } from "../errors.js";
import { within } from "./names.js";

/** How often the size is measured, in milliseconds. */
const PERIOD = 250;
/** The unit in which stat(2) counts the blocks of a file, in bytes. */
const BLOCK = 512;

/**
 * Limits what a tool writes that has no such limit itself: the files are measured four times a second.
 *
 * @param most - The most that the files may take on disk, in bytes.
 * @param stopWriter - Called when they take more, or cannot be measured.
 * @param modes - Gets the modes of directories that nobody may read, by their paths in the directory, and these are made
 * readable. Default: they cannot be measured.
 * @returns `stop`, which throws a SandboxError `IMAGE_INVALID` in these cases.
 */
export function watchSize(
  directory: string,
  most: number,
  stopWriter: () => void,
  modes?: Map<string, number>,
): { stop(): void } {
  let refused: Error | undefined;
  const measure = (): void => {
    try {
      if (sizeOf(Buffer.from(directory), "", modes) > most)
        refused ??= invalidImage(`it unpacks to more than ${most} bytes`);
    } catch (cause) {
      refused ??= invalidImage("it holds a directory that cannot be read", undefined, cause);
    }
    if (refused !== undefined) stopWriter();
  };
  const timer = setInterval(measure, PERIOD);
  return {
    stop() {
      clearInterval(timer);
      measure();
      if (refused !== undefined) throw refused;
    },
  };
}

/** The bytes that everything in a directory takes on disk. */
export function diskUsage(directory: string): number {
  return sizeOf(Buffer.from(directory), "", undefined);
}

function sizeOf(directory: Buffer, inside: string, modes: Modes): number {
  let size = 0;
  for (const name of namesIn(directory, inside, modes)) {
    const path = within(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    size += (stat?.blocks ?? 0) * BLOCK;
    if (stat?.isDirectory() === true)
      size += sizeOf(path, inside === "" ? name : `${inside}/${name}`, modes);
  }
  return size;
}

type Modes = Map<string, number> | undefined;

/**
 * The names in a directory. The tool may have removed or replaced the directory since it was found: then there are
 * none.
 */
function namesIn(directory: Buffer, inside: string, modes: Modes): string[] {
  try {
    return readdirSync(directory, { encoding: "latin1" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    if (code !== "EACCES" || modes === undefined || modes.has(inside)) throw error;
    const mode = lstatSync(directory).mode & 0o7777;
    modes.set(inside, mode);
    chmodSync(directory, mode | 0o700);
    return namesIn(directory, inside, modes);
  }
}
