import { realpathSync } from "node:fs";

/** The real path of a file of the host; undefined when it does not exist or cannot be reached. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
