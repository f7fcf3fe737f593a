import { readFileSync } from "node:fs";

/** A small file of the kernel, without the newline at its end; undefined when it is not there or cannot be read. */
export function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}

/** The number after a word, as in `memory.events`, or the whole content as a number. */
export function numberIn(text: string | undefined, word?: string): number | undefined {
  const digits =
    word === undefined ? text : new RegExp(`^${word} (\\d+)$`, "m").exec(text ?? "")?.[1];
  return digits !== undefined && /^\d+$/.test(digits) ? Number(digits) : undefined;
}

/** `ENOENT` and the like, or what else there is to say of an error. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return String(error);
}
