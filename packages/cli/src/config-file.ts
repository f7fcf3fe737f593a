import { type ConfigInput, isSandboxError, SandboxError } from "@sandboxlib/core";
import { parseFields } from "@sandboxlib/core/internal";
import { withCommands } from "./origins.js";
import { contentOf, hostPath, reasonOf } from "./readers.js";

/**
 * Reads a config file and checks its fields, before options change them. The rules between fields are checked afterwards,
 * since an option may set what a field of the file needs.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the file.
 */
export async function readConfigFile(path: string): Promise<ConfigInput> {
  const name = JSON.stringify(path);
  const config = await parseJson(readText(path, name), name);
  try {
    parseFields(config);
  } catch (error) {
    if (!isSandboxError(error)) throw error;
    const { code, path: field, hint } = error;
    throw new SandboxError(code, `${error.message} (in ${name})`, {
      ...(field !== undefined && { path: field }),
      ...(hint !== undefined && { hint: withCommands(hint) }),
    });
  }
  return config as ConfigInput;
}

function readText(path: string, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(contentOf(hostPath(path)));
  } catch (cause) {
    const message = `--config: ${name} cannot be read: ${reasonOf(cause)}`;
    throw new SandboxError("CONFIG_INVALID", message, { path: "config", cause });
  }
}

async function parseJson(text: string, name: string): Promise<unknown> {
  const plain = parsePlainJson(text);
  if (plain !== undefined) return plain;
  try {
    // Loaded for the few files that are not written as most are.
    const { parseStrictJson } = await import("./strict-json.js");
    return parseStrictJson(text);
  } catch (cause) {
    const why = cause instanceof RangeError ? "it is nested too deeply" : (cause as Error).message;
    throw new SandboxError("CONFIG_INVALID", `--config: ${name} cannot be read: ${why}`, {
      path: "config",
      cause,
    });
  }
}

/**
 * What `JSON.parse` makes of a text that is, but for white space, what `JSON.stringify` writes for it: then no key was there
 * twice. Undefined for any other, which may be as good.
 */
function parsePlainJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const plain = text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");
    return JSON.stringify(value) === plain ? value : undefined;
  } catch {
    return undefined;
  }
}
