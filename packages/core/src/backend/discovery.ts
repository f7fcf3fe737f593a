import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SandboxError } from "../result/error.js";
import type { Backend } from "./backend.js";
import { type InstalledBackend, installedBackends, isForMachine, misfitOf } from "./installed.js";

/**
 * The installed backend of a name: that for this machine, where there are several.
 *
 * @throws SandboxError `BACKEND_NOT_FOUND`, or as {@link loadBackend}
 */
export async function backendNamed(
  name: string,
  installed: readonly InstalledBackend[] = installedBackends(),
): Promise<Backend> {
  const claims = installed.filter((backend) => backend.name === name);
  const match = claims.find((each) => isForMachine(each)) ?? claims[0];
  if (match === undefined) {
    const names = installed.map((backend) => backend.name).join(", ");
    throw new SandboxError("BACKEND_NOT_FOUND", `no backend ${JSON.stringify(name)} is installed`, {
      backend: name,
      hint: `Installed: ${names === "" ? "none" : names}. Install its package beside the library, or name its directory in SANDBOXLIB_BACKEND_PATH.`,
    });
  }
  return loadBackend(match);
}

/**
 * Imports an installed backend. Whoever wants to use one comes this way, so that one rule holds, whether it was named or is
 * one of several to choose from.
 *
 * @throws SandboxError `BACKEND_UNAVAILABLE` when it is for other machines; `BACKEND_INVALID` when another package claims
 * its name, or when it is not what its `package.json` promises.
 */
export async function loadBackend(installed: InstalledBackend): Promise<Backend> {
  if (installed.apiVersion !== 1) {
    throw invalid(
      installed,
      `it has the API version ${installed.apiVersion}`,
      "Install a version that goes with this library, which has the API version 1.",
    );
  }
  assertUsable(installed);
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

function assertUsable(installed: InstalledBackend): void {
  const { name, directory, rival } = installed;
  const misfit = misfitOf(installed);
  if (misfit !== undefined) {
    throw new SandboxError("BACKEND_UNAVAILABLE", `the backend ${name} ${misfit}`, {
      backend: name,
      hint: "Use another backend.",
    });
  }
  if (rival === undefined) return;
  const both = [directory, rival].sort().join(" and ");
  throw invalid(installed, `${both} both claim the name`, "Remove one of them.");
}

function hasOnly(declared: ReadonlySet<string>, listed: readonly string[]): boolean {
  return declared.size === listed.length && listed.every((capability) => declared.has(capability));
}

/** True in the command line alone, which is built as CommonJS, and does not load what Node has for ES modules. */
declare const IS_COMMONJS: true;

async function importDefault(installed: InstalledBackend): Promise<unknown> {
  const { directory, entry, commonjs } = installed;
  type Module = { readonly default?: unknown };
  try {
    if (typeof IS_COMMONJS !== "undefined" && commonjs !== undefined)
      return (createRequire(import.meta.url)(join(directory, commonjs)) as Module).default;
    const { importModule } = await import("./import-module.js");
    return ((await importModule(pathToFileURL(join(directory, entry)).href)) as Module).default;
  } catch (cause) {
    throw invalid(installed, `it cannot be imported: ${String(cause)}`, remedyFor(cause), cause);
  }
}

/**
 * What the code of an installed backend would import by a name, such as a package of ours; undefined when it has no such
 * package, or a broken one.
 */
export async function importedBy({ directory }: InstalledBackend, name: string): Promise<unknown> {
  try {
    const path = createRequire(join(directory, "package.json")).resolve(name);
    const { importModule } = await import("./import-module.js");
    return await importModule(pathToFileURL(path).href);
  } catch {
    return undefined;
  }
}

/** A package manager need not install the peers of a package, such as core. */
function remedyFor(cause: unknown): string {
  const [, absent] = /^Cannot find package '([^']+)'/.exec(messageOf(cause)) ?? [];
  return absent === undefined
    ? "Install it again."
    : `Install ${absent} beside it, where its code can import it.`;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
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
