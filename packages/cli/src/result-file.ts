import { randomBytes } from "node:crypto";
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
import { CliError } from "./errors.js";
import { printableJson } from "./output.js";
import { hostPath } from "./readers.js";

/** A result file that was opened before the run. */
export interface ResultFile {
  /** Puts the whole text there at once, so that a reader finds all of it or no file. @throws CliError with exit code 125 */
  write(result: unknown): void;
}

/**
 * Makes sure that the file can be written, and removes an older one, which could be mistaken for the result of this run.
 *
 * The program may be able to write to the directory, or to replace it. So the directory is kept open, and every path is
 * relative to it; no symlink is followed, and only a regular file is ever replaced.
 *
 * @throws CliError
 */
export function openResultFile(path: string): ResultFile {
  const name = basename(path);
  const directory = openDirectory(path, hostPath(dirname(path)));
  const file = join(directory, name);
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) throw failure(path, "is not a regular file");
  attempt(path, 2, () => {
    writeBeside(file, "{}\n", (temporary) => rmSync(temporary));
    rmSync(file, { force: true });
  });
  return {
    write(result) {
      attempt(path, 125, () => {
        writeBeside(file, printableJson(result), (temporary) => renameSync(temporary, file));
      });
    },
  };
}

/** The path of an open fd, on Linux: it leads to the same directory even after this was moved or replaced. */
function openDirectory(path: string, directory: string): string {
  return attempt(path, 2, () => {
    const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    if (process.platform === "linux") return `/proc/self/fd/${fd}`;
    closeSync(fd);
    return directory;
  });
}

/** Writes a new file beside `file` and calls `then` with its path; if that fails, the new file is removed. */
function writeBeside(file: string, text: string, then: (temporary: string) => void): void {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(8).toString("hex")}`);
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

function attempt<Value>(path: string, exitCode: number, act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw failure(path, `cannot be written: ${reason}`, exitCode);
  }
}

function failure(path: string, why: string, exitCode = 2): CliError {
  return new CliError(`--result-file: ${JSON.stringify(path)} ${why}`, { exitCode });
}
