import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { SandboxError } from "../result/error.js";

/** The rule that a text breaks, as half a sentence, or undefined when it may be used. */
export type TextRule = (text: string) => string | undefined;

/**
 * What was checked is what is used: no NUL byte, where the kernel would cut the text, and no half of a surrogate pair,
 * in whose place Node would write U+FFFD.
 */
export const exactText: TextRule = (text) => {
  if (text.includes("\0")) return "contains a NUL byte";
  return text.isWellFormed() ? undefined : "contains half of a surrogate pair";
};

/** An absolute path without `..`: what it means never depends on a directory that the program may change. */
export const absolutePath: TextRule = (path) => {
  if (!path.startsWith("/")) return "must be an absolute path";
  if (path.split("/").includes("..")) return "must not contain `..`";
  return exactText(path);
};

/** A name that environ(7) can hold. `PWD` is set from `cwd`, so that it can never contradict it. */
const variableName: TextRule = (name) => {
  if (name === "") return "is an empty variable name";
  if (name.includes("=")) return "is a variable name with `=`";
  if (name === "PWD") return "names PWD, which always is `cwd`: set `cwd` instead";
  return exactText(name);
};

/** A host name as in hostname(7), at most the 64 bytes that the kernel takes. */
const hostName: TextRule = (name) =>
  /^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$/i.test(name)
    ? undefined
    : "must be 1 to 64 letters, digits, `-` and `.`";

/** The one spelling of an absolute path: no `.`, no doubled or trailing slash. */
function tidyPath(path: string): string {
  const tidy = posix.normalize(path);
  return tidy === "/" ? tidy : tidy.replace(/\/$/, "");
}

/** The rules for the texts of a config by their names, with how a text that keeps its rule is tidied up. */
export const TEXT_RULES: {
  readonly absolutePath: Required<NamedRule>;
  readonly exactText: NamedRule;
  readonly hostName: NamedRule;
  readonly variableName: NamedRule;
} = {
  absolutePath: { broken: absolutePath, tidy: tidyPath },
  exactText: { broken: exactText },
  hostName: { broken: hostName },
  variableName: { broken: variableName },
};

/** The name of one of {@link TEXT_RULES}. */
export type TextRuleName = keyof typeof TEXT_RULES;

interface NamedRule {
  readonly broken: TextRule;
  readonly tidy?: (text: string) => string;
}

/**
 * A value as a message shows it. JSON escapes control characters, so that a hostile value cannot write to a terminal; long
 * ones are cut, and of bytes only the number is told.
 */
export function shown(value: unknown): string {
  const text = plain(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function plain(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 100));
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? "an object";
  } catch {
    return "an object"; // It holds itself, or a bigint.
  }
}

/** The order of names, for `sort`. That of a language would have to be loaded first, which takes longer than a run. */
export function byName(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** A word of a command: text, which the program gets as UTF-8, or bytes. */
export type Word = string | Uint8Array;

/** The rule that a word breaks, as half a sentence, or undefined when a program can have it. */
export function brokenWord(word: unknown): string | undefined {
  if (typeof word === "string") return exactText(word);
  if (!(word instanceof Uint8Array)) return "must be a string or bytes";
  return word.includes(0) ? "contains a NUL byte" : undefined;
}

/** A word as text, if its bytes are UTF-8. */
export function asText(word: Word): Word {
  return typeof word === "string" || !isUtf8(word) ? word : Buffer.from(word).toString();
}

/**
 * The last words of this process's command line as they were given, where Node tells a U+FFFD in place of every byte
 * that is not UTF-8.
 *
 * @throws SandboxError `CONFIG_INVALID` where they cannot be read: only Linux tells.
 */
export function exactWords(texts: readonly string[]): readonly Word[] {
  if (!texts.some(isDoubtful)) return texts;
  const words = entriesOf("cmdline").slice(-texts.length);
  return texts.map((text, index) => {
    if (!isDoubtful(text)) return text;
    const bytes = words[index];
    // A process may have changed what is shown as its command line.
    if (bytes !== undefined && short(bytes.toString()) === short(text)) return asText(bytes);
    const message = `${JSON.stringify(text)} may hold bytes that are not UTF-8, and they cannot be told here`;
    throw new SandboxError("CONFIG_INVALID", message, { hint: "Use names that are UTF-8." });
  });
}

/** Whether a variable that this process was started with is not UTF-8. Where that cannot be told, it is taken for it. */
export function isExactVariable(name: string, value: string): boolean {
  if (!isDoubtful(name) && !isDoubtful(value)) return true;
  return !entriesOf("environ").some(
    (bytes) => !isUtf8(bytes) && short(bytes.toString()) === short(`${name}=${value}`),
  );
}

function isDoubtful(text: string): boolean {
  return text.includes(UNKNOWN);
}

const UNKNOWN = "\ufffd";

/** Node and others replace invalid bytes by different numbers of U+FFFD, so any number matches. */
function short(text: string): string {
  return text.replaceAll(/\ufffd+/g, UNKNOWN);
}

function entriesOf(name: "cmdline" | "environ"): Buffer[] {
  try {
    const entries = readFileSync(`/proc/self/${name}`, "latin1").replace(/\0$/, "").split("\0");
    return entries.map((entry) => Buffer.from(entry, "latin1"));
  } catch {
    return [];
  }
}
