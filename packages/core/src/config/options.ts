import { SandboxError } from "../result/error.js";
import { nearest } from "./nearest.js";
import { fieldPath, refuseOtherObjects } from "./parse.js";
import { CONFIG_SCHEMA } from "./schema.generated.js";
import { shown } from "./text.js";

/** @throws SandboxError `CONFIG_INVALID` for what is no AbortSignal. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw invalidOption("signal", "it is no AbortSignal");
}

/**
 * Refuses an option that there is not: whoever has set it counts on it.
 *
 * @param places - Where what others call by another name belongs, where these options have places of their own.
 * @throws SandboxError `CONFIG_INVALID`, with a hint where it belongs.
 */
export function refuseUnknown(
  options: object,
  known: object,
  places: Readonly<Record<string, string>> = {},
): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw invalidOption("options", `${shown(options)} is no object`);
  refuseOtherObjects(options, "options");
  const key = Object.keys(options).find((each) => !Object.hasOwn(known, each));
  if (key === undefined) return;
  const place = Object.hasOwn(places, key) ? places[key] : placeOf(key, Object.keys(known));
  throw invalidOption(fieldPath([key]), "unknown option", place);
}

function placeOf(key: string, known: readonly string[]): string {
  if (Object.hasOwn(PLACES, key)) return PLACES[key] ?? "";
  if (Object.hasOwn(CONFIG_SCHEMA.properties ?? {}, key))
    return `\`${key}\` is a field of the config, from which the sandbox is made.`;
  const near = nearest(key, known);
  return near === undefined ? `The options are ${known.join(", ")}.` : `Did you mean \`${near}\`?`;
}

/** What others call it. */
const PLACES: Readonly<Record<string, string>> = {
  cwd: "`cwd` is a field of the config. A command of a session can have its own.",
  env: "`env` is a field of the config. A command of a session can have its own.",
  timeout: "A time limit is `limits.wallTime` of the config, in seconds.",
  input: 'The input of a program is `stdin: { data: "text" }`.',
  encoding: "`textOf(result)` gives the output as text.",
  maxBuffer: "It is called `maxOutput`, in bytes.",
  stdio: "They are `stdin`, `stdout` and `stderr`.",
  shell: 'A line for a shell is the command ["sh", "-c", "ls -l"].',
  uid: "`user` is a field of the config, from which the sandbox is made.",
  gid: "`user` is a field of the config, from which the sandbox is made.",
  killSignal: "How a run is ended is `stop` of the config.",
};

/** What is wrong with an option of a call, as `CONFIG_INVALID`. */
export function invalidOption(path: string, what: string, hint?: string): SandboxError {
  return new SandboxError("CONFIG_INVALID", `${path}: ${what}`, {
    path,
    ...(hint !== undefined && { hint }),
  });
}
