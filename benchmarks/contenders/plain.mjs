import { bare } from "../spawn.mjs";

/** No sandbox at all. */
export async function plain({ argv }) {
  return { run: () => bare(argv) };
}
