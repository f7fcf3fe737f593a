import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fault, show } from "../manifest/fault.js";

/**
 * The image files in a directory, in the order of their names.
 *
 * @param field - What asks for them, as errors call it.
 * @throws SandboxError `IMAGE_INVALID` when the directory cannot be read.
 */
export function imageFiles(directory: string, field: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".aci"))
      .sort()
      .map((name) => join(directory, name));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw fault(field, `the directory of images ${show(directory)} cannot be read: ${code}`);
  }
}
