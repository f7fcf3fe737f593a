import { stat } from "node:fs/promises";
import { type Source, sourceOf } from "./source.js";

/** All of a file, as long as it is now. */
export async function fileSource(path: string): Promise<Source> {
  return sourceOf(path, 0, (await stat(path)).size);
}
