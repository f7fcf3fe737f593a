import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { randomHex } from "@sandboxlib/core/internal";
import { CliError } from "./errors.js";
import { hostPath } from "./readers.js";

/** A result file that was opened before the run. */
export interface ResultFile {
  /** Puts the whole text there at once, so that a reader finds all of it or no file. @throws CliError with exit code 125 */
  write(text: string): void;
}

/**
 * Makes sure that the file can be written, and removes an older one, which could be mistaken for the result of this run.
 *
 * The program may be able to write to the directory, or to replace it. So the directory is kept open, and every path is
 * relative to it; no symlink is followed, and only a regular file is ever replaced.
 *
 * @throws CliError
 * @param option - The option that named it, as messages write it.
 */
export function openResultFile(path: string, option: string): ResultFile {
  const name = basename(path);
  const named = { path, option };
  const directory = openDirectory(named, hostPath(dirname(path)));
  const file = join(directory, name);
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) throw failure(named, "is not a regular file");
  attempt(named, 2, () => {
    writeBeside(file, "{}\n", (temporary) => rmSync(temporary));
    rmSync(file, { force: true });
  });
  return {
    write(text) {
      attempt(named, 125, () => {
        writeBeside(file, text, (temporary) => renameSync(temporary, file));
      });
    },
  };
}

/** The path as it was written, and the option that it was written for. */
interface Named {
  readonly path: string;
  readonly option: string;
}

/** The path of an open fd, on Linux: it leads to the same directory even after this was moved or replaced. */
function openDirectory(named: Named, directory: string): string {
  return attempt(named, 2, () => {
    const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    if (process.platform === "linux") return `/proc/self/fd/${fd}`;
    closeSync(fd);
    return directory;
  });
}

/** Writes a new file beside `file` and calls `then` with its path; if that fails, the new file is removed. */
function writeBeside(file: string, text: string, then: (temporary: string) => void): void {
  const temporary = join(dirname(file), `.${basename(file)}.${randomHex(8)}`);
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
  try {
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    then(temporary);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function attempt<Value>(named: Named, exitCode: number, act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw failure(named, `cannot be written: ${reason}`, exitCode);
  }
}

function failure({ path, option }: Named, why: string, exitCode = 2): CliError {
  return new CliError(`${option}: ${JSON.stringify(path)} ${why}`, { exitCode });
}
