import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SandboxError } from "../result/error.js";
import type { Backend } from "./backend.js";

/**
 * The installed backend of a name.
 *
 * @throws SandboxError `BACKEND_NOT_FOUND`; `BACKEND_INVALID` when two packages claim the name, or as {@link loadBackend}.
 */
export async function backendNamed(
  name: string,
  installed: readonly InstalledBackend[] = installedBackends(),
): Promise<Backend> {
  const [match, other] = installed.filter((backend) => backend.name === name);
  if (match === undefined) {
    const names = installed.map((backend) => backend.name).join(", ");
    throw new SandboxError("BACKEND_NOT_FOUND", `no backend ${JSON.stringify(name)} is installed`, {
      backend: name,
      hint: `Installed: ${names === "" ? "none" : names}. Install its package beside the library, or name its directory in SANDBOXLIB_BACKEND_PATH.`,
    });
  }
  if (other !== undefined) {
    throw invalid(
      match,
      `${match.directory} and ${other.directory} both claim the name`,
      "Remove one of them.",
    );
  }
  return loadBackend(match);
}

/**
 * Imports an installed backend.
 *
 * @throws SandboxError `BACKEND_INVALID` when the package is not what its `package.json` promises.
 */
export async function loadBackend(installed: InstalledBackend): Promise<Backend> {
  if (installed.apiVersion !== 1) {
    throw invalid(
      installed,
      `it has the API version ${installed.apiVersion}`,
      "Install a version that goes with this library, which has the API version 1.",
    );
  }
  const exported = await importDefault(installed);
  if (!isBackend(exported))
    throw invalid(installed, "its default export is not a backend", "Tell its author.");
  if (exported.name !== installed.name) {
    throw invalid(
      installed,
      `its code calls itself ${JSON.stringify(exported.name)}`,
      "Tell its author.",
    );
  }
  if (!hasOnly(exported.capabilities, installed.capabilities ?? [...exported.capabilities])) {
    throw invalid(
      installed,
      "its package.json lists other capabilities than its code declares",
      "Tell its author.",
    );
  }
  return exported;
}

function hasOnly(declared: ReadonlySet<string>, listed: readonly string[]): boolean {
  return declared.size === listed.length && listed.every((capability) => declared.has(capability));
}

async function importDefault(installed: InstalledBackend): Promise<unknown> {
  try {
    const url = pathToFileURL(join(installed.directory, installed.entry)).href;
    const module = (await import(url)) as { default?: unknown };
    return module.default;
  } catch (cause) {
    throw invalid(installed, `it cannot be imported: ${String(cause)}`, "Install it again.", cause);
  }
}

/** Whether a value has what every backend has. */
export function isBackend(value: unknown): value is Backend {
  if (typeof value !== "object" || value === null) return false;
  const { apiVersion, name, capabilities, probe, plan } = value as Record<string, unknown>;
  return (
    apiVersion === 1 &&
    typeof name === "string" &&
    capabilities instanceof Set &&
    typeof probe === "function" &&
    typeof plan === "function"
  );
}

function invalid(
  installed: InstalledBackend,
  what: string,
  hint: string,
  cause?: unknown,
): SandboxError {
  const message = `the backend ${installed.name} (${installed.packageName} ${installed.version}): ${what}`;
  return new SandboxError("BACKEND_INVALID", message, { backend: installed.name, hint, cause });
}

/** An installed backend, as its `package.json` describes it; none of its code has been run. */
export interface InstalledBackend {
  /** The backend's own name, from the `sandboxlib` field. */
  readonly name: string;
  readonly packageName: string;
  readonly version: string;
  /** The real path of the package. */
  readonly directory: string;
  /** The module to import, relative to the directory. */
  readonly entry: string;
  readonly apiVersion: number;
  /** The values of `process.platform` on which it can work. */
  readonly platforms: readonly string[];
  /** What its code declares, where the package says so: a stronger one is then found without loading it. */
  readonly capabilities: readonly string[] | undefined;
}

/** The backends installed beside this library and in `SANDBOXLIB_BACKEND_PATH`, found by reading `package.json` only. */
export function installedBackends(): InstalledBackend[] {
  const found = new Map<string, InstalledBackend>();
  for (const directory of packageDirectories(process.env["SANDBOXLIB_BACKEND_PATH"])) {
    const backend = readManifest(directory);
    if (backend !== undefined && !found.has(backend.directory))
      found.set(backend.directory, backend);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** Undefined for a package that is no backend, and for one that is broken. */
function readManifest(directory: string): InstalledBackend | undefined {
  try {
    const text = readFileSync(join(directory, "package.json"), "utf8");
    if (!text.includes('"sandboxlib"')) return undefined;
    const manifest: unknown = JSON.parse(text);
    const field = property(manifest, "sandboxlib");
    const name = property(field, "backend");
    if (typeof name !== "string" || !/^[a-z][a-z0-9-]*$/.test(name)) return undefined;
    const platforms = property(field, "platforms");
    const capabilities = property(field, "capabilities");
    return {
      name,
      packageName: String(property(manifest, "name")),
      version: String(property(manifest, "version")),
      directory: realpathSync(directory),
      entry: entryOf(manifest),
      apiVersion: Number(property(field, "apiVersion")),
      platforms: Array.isArray(platforms) ? platforms.map(String) : [],
      capabilities: Array.isArray(capabilities) ? capabilities.map(String) : undefined,
    };
  } catch {
    return undefined;
  }
}

/** The main entry of a package, as `import` would find it: `exports` by condition, then `main`. */
function entryOf(manifest: unknown): string {
  let target: unknown = property(manifest, "exports") ?? property(manifest, "main") ?? "index.js";
  target = property(target, ".") ?? target;
  while (typeof target === "object" && target !== null) {
    target = property(target, "node") ?? property(target, "import") ?? property(target, "default");
  }
  return String(target);
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/**
 * The directories in which an installed backend may lie: beside this installation and where
 * `SANDBOXLIB_BACKEND_PATH` says. The working directory is never one of them: a sandbox must not run the code of the
 * project that it is to contain.
 */
function packageDirectories(variable: string | undefined): string[] {
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

/** Whether only the owner of this file, root or this user can write to it: nobody else may choose which code is run. */
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
