/** A payload that has to be refused: what is wrong with it, and the sentence that says so. */
export type Broken = readonly [title: string, payload: Buffer, sentence: string];

/** More than there can ever be. */
export const HUGE = 0xffff_ffff;

/** Paths that lead somewhere else than they seem to, or are none. */
export const CROOKED: readonly string[] = [
  "",
  "tmp",
  "./tmp",
  "../tmp",
  "//",
  "//tmp",
  "/tmp/",
  "/a//b",
  "/.",
  "/..",
  "/a/.",
  "/a/..",
  "/a/./b",
  "/a/../b",
  `/${"a".repeat(4095)}`,
];

/** A path for a title. */
export function show(path: string): string {
  return path.length > 40 ? `of ${path.length} bytes` : JSON.stringify(path);
}
