import { readFileSync } from "node:fs";
import { type ConfigInput, isSandboxError, parseConfig, SandboxError } from "@sandboxlib/core";
import { hostPath } from "./readers.js";

/**
 * Reads a config file and checks it as it is, before options change it.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the file.
 */
export function readConfigFile(path: string): ConfigInput {
  const name = JSON.stringify(path);
  const config = parseJson(readText(path, name), name);
  try {
    parseConfig(config);
  } catch (error) {
    if (!isSandboxError(error)) throw error;
    const { code, path: field, hint } = error;
    throw new SandboxError(code, `${error.message} (in ${name})`, {
      ...(field !== undefined && { path: field }),
      ...(hint !== undefined && { hint }),
    });
  }
  return config as ConfigInput;
}

function readText(path: string, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(hostPath(path)));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new SandboxError(
      "CONFIG_INVALID",
      `--config: ${name} cannot be read: ${REASONS[code] ?? code}`,
      {
        path: "config",
        cause,
      },
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8",
};

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SandboxError(
      "CONFIG_INVALID",
      `--config: ${name} is not JSON: ${(cause as Error).message}`,
      {
        path: "config",
        cause,
      },
    );
  }
}
