import { readdirSync, realpathSync, type Stats, statSync } from "node:fs";
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
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = [...moduleDirectories(here), ...linkedInto(here)].filter(isOurs);
  return [
    ...new Set([
      ...named.flatMap((path) => [path, ...packagesIn(path)]),
      ...beside.flatMap(packagesIn),
    ]),
  ];
}

/**
 * The `node_modules` that this file was installed into: one with npm, the project's and the store's with pnpm. The store of
 * `pnpm add --global` lies beside the `node_modules`, not in it. In a checkout of this repository, those of the package
 * and of the workspace.
 */
function moduleDirectories(start: string): string[] {
  const above = upwards(start);
  const installed = above.flatMap((directory) => {
    if (basename(directory) === ".pnpm") return [join(dirname(directory), "node_modules")];
    return basename(directory) === "node_modules" ? [directory] : [];
  });
  if (installed.length > 0) return installed;
  return above
    .filter((directory) => exists(join(directory, "package.json")))
    .map((at) => join(at, "node_modules"));
}

/**
 * The `node_modules` above the script that was started into which this very package is linked: with pnpm's global virtual
 * store no way leads there from this file. That script is running already, so it may choose what else is run.
 */
function linkedInto(here: string): string[] {
  const [, script] = process.argv;
  const own = upwards(here).find((directory) => exists(join(directory, "package.json")));
  if (script === undefined || own === undefined || !isAbsolute(script)) return [];
  const name = packageNameOf(own);
  return upwards(dirname(script))
    .map((at) => (basename(at) === "node_modules" ? at : join(at, "node_modules")))
    .filter((modules) => realPath(join(modules, name)) === own);
}

function packageNameOf(directory: string): string {
  const scope = basename(dirname(directory));
  return scope.startsWith("@") ? join(scope, basename(directory)) : basename(directory);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // It is not there.
  }
}

function upwards(start: string): string[] {
  const above: string[] = [];
  for (let directory = start; directory !== dirname(directory); directory = dirname(directory))
    above.push(directory);
  return above;
}

/** Whether only the owner of this file, root or this user can write to it: nobody else may choose which code is run. */
function isOurs(directory: string): boolean {
  const stat = stats(directory);
  const owners = [0, process.getuid?.(), stats(fileURLToPath(import.meta.url))?.uid];
  return stat?.isDirectory() === true && owners.includes(stat.uid) && (stat.mode & 0o002) === 0;
}

/** There may be hundreds, and `join` looks at every letter of a path. */
function packagesIn(directory: string): string[] {
  return names(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    return name.startsWith("@") ? names(path).map((scoped) => `${path}/${scoped}`) : [path];
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
