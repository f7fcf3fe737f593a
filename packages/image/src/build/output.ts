import { randomUUID } from "node:crypto";
import { lstatSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { invalidImage } from "../errors.js";

/** Where an image is written. */
export interface Output {
  /** The file to write. */
  readonly path: string;
  /**
   * Files that must not become a part of the image when they lie in the directory of which it is made: the output
   * itself.
   */
  readonly exclude: ReadonlySet<string>;
}

/**
 * Lets `write` write a new file, which replaces `file` when it is complete, also where that is a symlink. A pipe, a
 * device and a name of an open file, such as `/dev/stdout`, are written directly.
 *
 * @throws SandboxError `IMAGE_INVALID` for a file that cannot be read or written.
 */
export async function replaceFile<Type>(
  file: string,
  write: (output: Output) => Promise<Type>,
): Promise<Type> {
  try {
    return await replaceWhenComplete(file, write);
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw invalidImage(`the image cannot be made: ${error.message}`, undefined, error);
  }
}

async function replaceWhenComplete<Type>(
  file: string,
  write: (output: Output) => Promise<Type>,
): Promise<Type> {
  const to = siblingOf(file, basename(file));
  if (isWrittenDirectly(to)) return write({ path: file, exclude: new Set([realPathOf(to)]) });
  const path = siblingOf(file, `.${randomUUID()}`);
  try {
    const result = await write({ path, exclude: new Set([to, path]) });
    renameSync(path, to);
    return result;
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Whether bytes are to be written to what is there: a pipe, a device, a name of an open file such as `/dev/stdout`; or
 * that is to fail, as with a directory. Any other symlink is replaced: somebody else may have put it there to have a
 * file of the caller's overwritten.
 */
function isWrittenDirectly(file: string): boolean {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || stat.isFile()) return false;
  if (!stat.isSymbolicLink() || /^\/(?:dev|proc)\//.test(file)) return true;
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A pipe that is open has none, and nothing lies there that could become a part of an image. */
function realPathOf(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

/** The real path of a name in the directory of a file. */
function siblingOf(file: string, name: string): string {
  return join(realpathSync.native(dirname(file)), name);
}
