import { posix } from "node:path";

/** The rule that a text breaks, as half a sentence, or undefined when it may be used. */
export type TextRule = (text: string) => string | undefined;

/**
 * What was checked is what is used: no NUL byte, where the kernel would cut the text, and no half of a surrogate pair,
 * in whose place Node would write U+FFFD.
 */
export const exactText: TextRule = (text) => {
  if (text.includes("\0")) return "contains a NUL byte";
  return /\p{Surrogate}/u.test(text) ? "contains half of a surrogate pair" : undefined;
};

/** An absolute path without `..`: what it means never depends on a directory that the program may change. */
export const absolutePath: TextRule = (path) => {
  if (!path.startsWith("/")) return "must be an absolute path";
  if (path.split("/").includes("..")) return "must not contain `..`";
  return exactText(path);
};

/** A name that environ(7) can hold. `PWD` is set from `cwd`, so that it can never contradict it. */
export const variableName: TextRule = (name) => {
  if (name === "") return "is an empty variable name";
  if (name.includes("=")) return "is a variable name with `=`";
  if (name === "PWD") return "names PWD, which always is `cwd`: set `cwd` instead";
  return exactText(name);
};

/** A host name as in hostname(7), at most the 64 bytes that the kernel takes. */
export const hostName: TextRule = (name) =>
  /^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$/i.test(name)
    ? undefined
    : "must be 1 to 64 letters, digits, `-` and `.`";

/** The one spelling of an absolute path: no `.`, no doubled or trailing slash. */
export function tidyPath(path: string): string {
  const tidy = posix.normalize(path);
  return tidy === "/" ? tidy : tidy.replace(/\/$/, "");
}
