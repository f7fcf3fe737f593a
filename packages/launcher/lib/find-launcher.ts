import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The program, which lies in a package of its own for each kind of machine. */
export interface Launcher {
  /** Its real path. */
  readonly path: string;
  /** Of the package that it lies in. */
  readonly version: string;
}

/** Why there is no program to be used, and what to do about it. */
export interface NoLauncher {
  readonly reason: string;
  readonly remedy: string;
}

/** The launcher for a machine, by default for this one. It is found beside this package, and nowhere else. */
export function findLauncher(
  platform: string = process.platform,
  arch: string = process.arch,
): Launcher | NoLauncher {
  const name = `@sandboxlib/launcher-${platform}-${arch}`;
  if (!PACKAGES.includes(name)) {
    return {
      reason: `there is no launcher for ${platform} on ${arch}`,
      remedy: "Use another backend.",
    };
  }
  const manifest = resolve(`${name}/package.json`);
  if (manifest === undefined) {
    return {
      reason: `${name} is not installed`,
      remedy: `Install without --omit=optional: it is an optional dependency of @sandboxlib/launcher. Or: npm install ${name}`,
    };
  }
  const path = join(dirname(manifest), "bin/sandboxlib-launcher");
  const fault = faultOf(path);
  if (fault !== undefined) return { reason: `${path} ${fault}`, remedy: remedyFor(name, path) };
  return {
    path,
    // Read for those who show it.
    get version() {
      return (require(manifest) as { version: string }).version;
    },
  };
}

const PACKAGES = ["@sandboxlib/launcher-linux-x64", "@sandboxlib/launcher-linux-arm64"];

const require = createRequire(import.meta.url);

function resolve(specifier: string): string | undefined {
  try {
    return require.resolve(specifier);
  } catch {
    return undefined;
  }
}

/** It acts with all that the caller may do, so nobody may have written it who could not have written this file. */
function faultOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return "is missing";
  if (!stat.isFile() || (stat.mode & 0o111) === 0) return "is not an executable file";
  if (!owners().includes(stat.uid)) return `belongs to the user ${stat.uid}`;
  return (stat.mode & 0o022) === 0 ? undefined : "can be written by others than its owner";
}

function owners(): unknown[] {
  const own = statSync(fileURLToPath(import.meta.url));
  // In a user namespace that does not map root, its files belong to the overflow uid, as `/` does.
  return [0, statSync("/").uid, process.getuid?.(), own.uid];
}

function remedyFor(name: string, path: string): string {
  return path.includes("/node_modules/")
    ? `Install ${name} again.`
    : "Install a C compiler (apt install gcc libc6-dev, dnf install gcc glibc-static) and build again.";
}
