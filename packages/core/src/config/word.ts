import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { SandboxError } from "../result/error.js";
import { exactText } from "./text.js";

/** A word of a command: text, which the program gets as UTF-8, or bytes. */
export type Word = string | Uint8Array;

/** The rule that a word breaks, as half a sentence, or undefined when a program can have it. */
export function brokenWord(word: unknown): string | undefined {
  if (typeof word === "string") return exactText(word);
  if (!(word instanceof Uint8Array)) return "must be a string or bytes";
  return word.includes(0) ? "contains a NUL byte" : undefined;
}

/** A word as text, if its bytes are UTF-8. */
export function textOf(word: Word): Word {
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
    if (bytes !== undefined && short(bytes.toString()) === short(text)) return textOf(bytes);
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
