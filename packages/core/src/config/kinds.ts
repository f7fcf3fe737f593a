import { checkSignal, invalidOption, refuseUnknown } from "./options.js";
import { exactText, shown } from "./text.js";

/** What the values of an option are. */
export interface Kind {
  readonly accepts: (value: unknown) => boolean;
  /** What is to be said of a value that is not accepted, as half a sentence. */
  readonly not: string;
  /** Whether only the type of the value is shown. */
  readonly isSecret?: true;
}

/** Kinds that many options share. */
export const KINDS: Readonly<
  Record<"flag" | "text" | "path" | "bytes" | "function" | "signal", Kind>
> = {
  flag: { accepts: (value) => typeof value === "boolean", not: "is neither true nor false" },
  text: { accepts: isText, not: "is no text" },
  path: { accepts: isText, not: "is no path" },
  bytes: {
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    not: "is not a number of bytes",
  },
  function: { accepts: (value) => typeof value === "function", not: "is no function" },
  signal: { accepts: isSignal, not: "is no AbortSignal" },
};

function isText(value: unknown): boolean {
  return typeof value === "string" && exactText(value) === undefined;
}

function isSignal(value: unknown): boolean {
  try {
    checkSignal(value as AbortSignal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuses an option that there is not, and a value that is none of its kind. An option that is undefined is not set.
 *
 * @param places - Where what others call by another name belongs.
 * @throws SandboxError `CONFIG_INVALID`
 */
export function checkKinds<Options extends object>(
  options: Options,
  kinds: Readonly<Record<keyof Options, Kind>>,
  places?: Readonly<Record<string, string>>,
): void {
  refuseUnknown(options, kinds, places);
  for (const [name, kind] of Object.entries<Kind>(kinds)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) checkKind(name, value, kind);
  }
}

/** @throws SandboxError `CONFIG_INVALID` for a value that is none of its kind. */
export function checkKind(name: string, value: unknown, { accepts, not, isSecret }: Kind): void {
  if (accepts(value)) return;
  throw invalidOption(name, `${isSecret ? kindOf(value) : shown(value)} ${not}`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}
