import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SandboxError } from "../result/error.js";
import type { Backend } from "./backend.js";
import { type InstalledBackend, installedBackends } from "./manifest.js";

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
  return exported;
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

function isBackend(value: unknown): value is Backend {
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
