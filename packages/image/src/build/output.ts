import { randomUUID } from "node:crypto";
import { realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { invalidImage } from "../invalid.js";

/** Where an image is written. */
export interface Output {
  /** The file to write. */
  readonly path: string;
  /** Files that are no part of the image, should they lie in the directory that it is made of. */
  readonly own: ReadonlySet<string>;
}

/**
 * Writes to a new file, which replaces `file` when it is complete. Where `file` is no regular file, such as `/dev/stdout`,
 * it is written to directly.
 *
 * @throws SandboxError `IMAGE_INVALID` for a file that cannot be read or written.
 */
export async function written<Type>(
  file: string,
  write: (output: Output) => Promise<Type>,
): Promise<Type> {
  try {
    return await writtenBeside(file, write);
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw invalidImage(`the image cannot be made: ${error.message}`, undefined, error);
  }
}

async function writtenBeside<Type>(
  file: string,
  write: (output: Output) => Promise<Type>,
): Promise<Type> {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) return write({ path: file, own: new Set() });
  const to = there === undefined ? beside(file, basename(file)) : realpathSync.native(file);
  const path = beside(to, `.${randomUUID()}`);
  try {
    const result = await write({ path, own: new Set([to, path]) });
    renameSync(path, to);
    return result;
  } finally {
    rmSync(path, { force: true });
  }
}

function beside(file: string, name: string): string {
  return join(realpathSync.native(dirname(file)), name);
}
