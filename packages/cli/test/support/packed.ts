import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { FIXTURES } from "./fixtures.js";

const PACKAGES = join(import.meta.dirname, "../../..");

/** The directories of the packages: ours, and one of a third party. None needs one from the registry. */
const SOURCES = {
  "@sandboxlib/cli": join(PACKAGES, "cli"),
  "@sandboxlib/core": join(PACKAGES, "core"),
  "@sandboxlib/conformance": join(PACKAGES, "conformance"),
  "@sandboxlib/prove": join(PACKAGES, "prove"),
  "@sandboxlib/seccomp": join(PACKAGES, "seccomp"),
  "@sandboxlib/backend-bubblewrap": join(PACKAGES, "backend-bubblewrap"),
  "@sandboxlib/backend-namespaces": join(PACKAGES, "backend-namespaces"),
  "@sandboxlib/launcher": join(PACKAGES, "launcher"),
  "@sandboxlib/launcher-linux-arm64": join(PACKAGES, "launcher-linux-arm64"),
  "@sandboxlib/launcher-linux-x64": join(PACKAGES, "launcher-linux-x64"),
  "@acme/sandboxlib-plain": join(FIXTURES, "@acme/sandboxlib-plain"),
} as const;

/** The packages with the program of the launcher, for this architecture and for the other one. */
export const [PROGRAM, OTHER] =
  process.arch === "arm64"
    ? (["@sandboxlib/launcher-linux-arm64", "@sandboxlib/launcher-linux-x64"] as const)
    : (["@sandboxlib/launcher-linux-x64", "@sandboxlib/launcher-linux-arm64"] as const);

/** A package that is packed for the tests of installations. */
export type Packed = keyof typeof SOURCES;

/** Packs packages as they would be published, with one call of npm, and returns the paths of the tarballs. */
export function pack(names: readonly Packed[], directory: string): Map<Packed, string> {
  const copies = names.map((name) => copyOf(name, directory));
  const output = npm(["pack", "--json", "--ignore-scripts", ...copies], directory);
  const packed = JSON.parse(output) as { filename: string }[];
  return new Map(
    names.map((name, index) => [name, join(directory, packed[index]?.filename ?? "")]),
  );
}

/** Copies the files of a package that are published, with versions in its manifest. */
function copyOf(name: Packed, directory: string): string {
  const copy = join(directory, name.replaceAll("/", "-"));
  const source = realpathSync(SOURCES[name]);
  cpSync(source, copy, {
    recursive: true,
    filter: (path) => !["node_modules", "test", ".turbo"].includes(basename(path)),
  });
  const manifest = join(copy, "package.json");
  writeFileSync(manifest, published(readFileSync(manifest, "utf8")));
  return copy;
}

/** Runs npm without the registry, and with a cache in the directory, so that both are removed together. */
export function npm(args: readonly string[], cwd: string): string {
  const options = ["--offline", "--no-audit", "--no-fund", "--loglevel=error"];
  return execFileSync("npm", [...args, ...options], {
    cwd,
    env: { ...process.env, npm_config_cache: join(cwd, "cache") },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Replaces `workspace:`, which only pnpm reads, by versions: `pnpm pack`, which does it, may be missing. */
function published(manifest: string): string {
  const { devDependencies: _, ...rest } = JSON.parse(manifest) as Record<string, unknown>;
  return JSON.stringify(rest)
    .replaceAll('"workspace:^"', JSON.stringify(`^${versionOf("@sandboxlib/core")}`))
    .replaceAll('"workspace:*"', JSON.stringify(versionOf("@sandboxlib/launcher")));
}

function versionOf(name: Packed): string {
  const manifest = readFileSync(join(SOURCES[name], "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
