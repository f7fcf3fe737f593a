import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
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
  readonly apiVersion: number;
  /** The values of `process.platform` on which it can work. */
  readonly platforms: readonly string[];
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

/** Undefined for every package that is not a backend, broken ones included: they are none of our business. */
function readManifest(directory: string): InstalledBackend | undefined {
  try {
    const text = readFileSync(join(directory, "package.json"), "utf8");
    if (!text.includes('"sandboxlib"')) return undefined;
    const manifest: unknown = JSON.parse(text);
    const field = property(manifest, "sandboxlib");
    const name = property(field, "backend");
    if (typeof name !== "string" || !/^[a-z][a-z0-9-]*$/.test(name)) return undefined;
    const platforms = property(field, "platforms");
    return {
      name,
      packageName: String(property(manifest, "name")),
      version: String(property(manifest, "version")),
      directory: realpathSync(directory),
      entry: entryOf(manifest),
      apiVersion: Number(property(field, "apiVersion")),
      platforms: Array.isArray(platforms) ? platforms.map(String) : [],
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
