import { readFileSync, realpathSync } from "node:fs";
import { byName } from "../config/text.js";
import { packageDirectories } from "./places.js";

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
  /** The same as CommonJS, where the package has it. */
  readonly commonjs: string | undefined;
  readonly apiVersion: number;
  /** The values of `process.platform` on which it can work. */
  readonly platforms: readonly string[];
  /** Where npm installs it, from the fields `os` and `cpu` of its `package.json`. Absent: everywhere. */
  readonly os: Fit;
  readonly cpu: Fit;
  /** What its code declares, where the package says so: a stronger one is then found without loading it. */
  readonly capabilities: readonly string[] | undefined;
  /** The directory of another package for this platform that claims the name: neither of them is used. */
  readonly rival?: string;
}

/** Values of `process.platform` or `process.arch`; one with a `!` before it is what does not fit. */
type Fit = readonly string[] | undefined;

/** The backends installed beside this library and in `SANDBOXLIB_BACKEND_PATH`, found by reading `package.json` only. */
export function installedBackends(): InstalledBackend[] {
  const found = new Map<string, InstalledBackend>();
  for (const directory of packageDirectories(process.env["SANDBOXLIB_BACKEND_PATH"])) {
    const backend = readManifest(directory);
    if (backend !== undefined && !found.has(backend.directory))
      found.set(backend.directory, backend);
  }
  const all = [...found.values()].sort((a, b) => byName(a.name, b.name));
  return all.map((each) => withRival(each, all));
}

/** Whether a backend says that it can work on this machine. */
export function isForMachine(installed: InstalledBackend, platform?: NodeJS.Platform): boolean {
  return misfitOf(installed, platform) === undefined;
}

/** Why a backend is not for this machine, to follow its name; undefined when it is. */
export function misfitOf(
  { platforms, os, cpu }: InstalledBackend,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (!platforms.includes(platform))
    return `works on ${platforms.join(", ") || "no platform"}, and this is ${platform}`;
  if (!fits(os, platform))
    return `has ${shown("os", os)} in its package.json, and this is ${platform}`;
  if (fits(cpu, process.arch)) return undefined;
  return `has ${shown("cpu", cpu)} in its package.json, and this is ${process.arch}`;
}

/** As npm has it: nothing that is excluded, and one of those that are listed, if there are any. */
function fits(listed: Fit, value: string): boolean {
  if (listed === undefined || (listed.length === 1 && listed[0] === "any")) return true;
  if (listed.includes(`!${value}`)) return false;
  return listed.includes(value) || listed.every((each) => each.startsWith("!"));
}

function shown(name: string, listed: Fit): string {
  return `\`"${name}": ${JSON.stringify(listed)}\``;
}

function withRival(backend: InstalledBackend, all: readonly InstalledBackend[]): InstalledBackend {
  const rival = all.find(
    (other) => other !== backend && other.name === backend.name && isForMachine(other),
  );
  return rival === undefined || !isForMachine(backend)
    ? backend
    : { ...backend, rival: rival.directory };
}

/** Undefined for a package that is no backend, and for one that is broken. */
function readManifest(directory: string): InstalledBackend | undefined {
  try {
    const text = readFileSync(`${directory}/package.json`, "utf8");
    if (!text.includes('"sandboxlib"')) return undefined;
    const manifest: unknown = JSON.parse(text);
    const field = property(manifest, "sandboxlib");
    const name = property(field, "backend");
    if (typeof name !== "string" || !/^[a-z][a-z0-9-]*$/.test(name)) return undefined;
    const commonjs = property(field, "commonjs");
    return {
      name,
      packageName: String(property(manifest, "name")),
      version: String(property(manifest, "version")),
      directory: realpathSync.native(directory),
      entry: entryOf(manifest),
      commonjs: typeof commonjs === "string" ? commonjs : undefined,
      apiVersion: Number(property(field, "apiVersion")),
      platforms: listIn(field, "platforms") ?? [],
      os: fitIn(manifest, "os"),
      cpu: fitIn(manifest, "cpu"),
      capabilities: listIn(field, "capabilities"),
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

function listIn(value: unknown, name: string): string[] | undefined {
  const list = property(value, name);
  return Array.isArray(list) ? list.map(String) : undefined;
}

/** npm takes one value without a list, too. */
function fitIn(manifest: unknown, name: string): Fit {
  const value = property(manifest, name);
  return typeof value === "string" ? [value] : listIn(manifest, name);
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
