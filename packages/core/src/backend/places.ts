import { readdirSync, type Stats, statSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SandboxError } from "../result/error.js";

/**
 * The directories in which an installed backend may lie: beside this installation and where
 * `SANDBOXLIB_BACKEND_PATH` says. The working directory is never one of them: a sandbox must not run the code of the
 * project that it is to contain.
 */
export function packageDirectories(variable: string | undefined): string[] {
  const named = (variable ?? "").split(delimiter).filter((path) => path !== "");
  const relative = named.find((path) => !isAbsolute(path));
  if (relative !== undefined) {
    throw new SandboxError(
      "BACKEND_NOT_FOUND",
      `SANDBOXLIB_BACKEND_PATH: ${JSON.stringify(relative)} is relative`,
      {
        hint: "Name absolute directories: a relative one would be looked up in the working directory.",
      },
    );
  }
  const beside = moduleDirectories(dirname(fileURLToPath(import.meta.url))).filter(isOurs);
  return [
    ...new Set([
      ...named.flatMap((path) => [path, ...packagesIn(path)]),
      ...beside.flatMap(packagesIn),
    ]),
  ];
}

/**
 * The `node_modules` that this file was installed into: one with npm, the project's and the store's with pnpm. In a
 * checkout of this repository, those of the package and of the workspace.
 */
function moduleDirectories(start: string): string[] {
  const above: string[] = [];
  for (let directory = start; directory !== dirname(directory); directory = dirname(directory))
    above.push(directory);
  const installed = above.filter((directory) => basename(directory) === "node_modules");
  if (installed.length > 0) return installed;
  return above
    .filter((directory) => exists(join(directory, "package.json")))
    .map((at) => join(at, "node_modules"));
}

/** Written by whoever installed this very file, by root, or by the one who runs it: nobody else chooses our code. */
function isOurs(directory: string): boolean {
  const stat = stats(directory);
  const owners = [0, process.getuid?.(), stats(fileURLToPath(import.meta.url))?.uid];
  return stat?.isDirectory() === true && owners.includes(stat.uid) && (stat.mode & 0o002) === 0;
}

function packagesIn(directory: string): string[] {
  return names(directory).flatMap((name) => {
    const path = join(directory, name);
    return name.startsWith("@") ? names(path).map((scoped) => join(path, scoped)) : [path];
  });
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => !name.startsWith("."));
  } catch {
    return []; // Not there, or not a directory: nothing is installed in it.
  }
}

function exists(path: string): boolean {
  return stats(path) !== undefined;
}

function stats(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
