import { realpathSync } from "node:fs";
import { errnoOf } from "../host/host.js";
import { SandboxError } from "../result/error.js";
import { type Located, locate, type View } from "./view.js";

/** What is wrong with a path that a config names, as `PATH_INVALID`. */
export function invalid(
  path: string,
  value: string,
  message: string,
  hint?: string,
  cause?: unknown,
): SandboxError {
  return new SandboxError("PATH_INVALID", `${path}: ${JSON.stringify(value)} ${message}`, {
    path,
    ...(hint !== undefined && { hint }),
    cause,
  });
}

/**
 * Follows a path of a config inside the view, see {@link locate}.
 *
 * @throws SandboxError `PATH_INVALID` when it cannot be looked up.
 */
export function find(view: View, path: string, field: string, under = false): Located {
  try {
    return locate(view, path, under);
  } catch (cause) {
    throw invalid(field, path, `cannot be looked up: ${errnoOf(cause)}`, undefined, cause);
  }
}

/** The real path of a file of the host; undefined when it does not exist or cannot be reached. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
