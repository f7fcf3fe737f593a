import { closeSync, openSync, readSync } from "node:fs";
import { type ConfigInput, isSandboxError, SandboxError } from "@sandboxlib/core";
import { parseFields } from "@sandboxlib/core/internal";
import { withCommands } from "./origins.js";
import { hostPath, reasonOf } from "./readers.js";
import { parseStrictJson } from "./strict-json.js";

/**
 * Reads a config file and checks its fields, before options change them. The rules between fields are checked afterwards,
 * since an option may set what a field of the file needs.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the file.
 */
export function readConfigFile(path: string): ConfigInput {
  const name = JSON.stringify(path);
  const config = parseJson(readText(path, name), name);
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

/** The most bytes of a config file. */
const LONGEST = 1024 * 1024;

/** Reads a file that need not have an end. */
function contentOf(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(LONGEST + 1);
    let size = 0;
    for (let got = -1; got !== 0 && size < bytes.length; size += got)
      got = readSync(file, bytes, size, bytes.length - size, null);
    if (size > LONGEST) throw Object.assign(new Error("it is too long"), { code: "EFBIG" });
    return bytes.subarray(0, size);
  } finally {
    closeSync(file);
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return parseStrictJson(text);
  } catch (cause) {
    const why = cause instanceof RangeError ? "it is nested too deeply" : (cause as Error).message;
    throw new SandboxError("CONFIG_INVALID", `--config: ${name} cannot be read: ${why}`, {
      path: "config",
      cause,
    });
  }
}
