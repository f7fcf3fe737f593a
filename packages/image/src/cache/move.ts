import { renameSync } from "node:fs";

/** Renames a directory. Others do so at the same time: it may be gone, or its place be taken by one with something in it. */
export function move(from: string, to: string): "moved" | "gone" | "taken" {
  try {
    renameSync(from, to);
    return "moved";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return "gone";
    if (code === "ENOTEMPTY" || code === "EEXIST") return "taken";
    throw error;
  }
}
