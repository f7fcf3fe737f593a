import { closeSync, openSync, readSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Config, MountInput } from "@sandboxlib/core";
import { CliError } from "./errors.js";

/**
 * Reads the argument of an option. `option` is the option as messages name it, such as `--bind`.
 *
 * @throws CliError if the text cannot be read.
 */
export type Reader<Value> = (text: string, option: string) => Value;

/** Takes the text as it is; whoever uses it says what is wrong with it. */
export function plainText(text: string): string {
  return text;
}

/**
 * The absolute form of a path of the host. A `..` is resolved as the kernel does, symlinks first: removing it from the
 * text would name another directory than the one that the user's shell and file manager show.
 */
export function hostPath(path: string): string {
  if (!path.startsWith("/")) assertWorkingDirectory(path);
  if (!path.split("/").includes("..")) return resolve(path);
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path); // It does not exist; whoever opens it reports that.
  }
}

function assertWorkingDirectory(path: string): void {
  try {
    process.cwd();
  } catch {
    throw new CliError(
      `${JSON.stringify(path)}: starts at the working directory, which was removed`,
      {
        hint: "Change to another directory, or give an absolute path.",
      },
    );
  }
}

/** Reads a whole number. */
export function wholeNumber(text: string, option: string): number {
  return number(text, option, /^\d+$/, "a whole number");
}

/** Reads a number that may have a fraction. */
export function fraction(text: string, option: string): number {
  return number(text, option, /^\d+(\.\d+)?$/, "a number");
}

function number(text: string, option: string, pattern: RegExp, what: string): number {
  if (pattern.test(text)) return Number(text);
  throw new CliError(`${option}: ${JSON.stringify(text)} is not ${what}`);
}

/** Reads a time in seconds, which may have a fraction, or in another unit that is named. */
export function duration(text: string, option: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * (SECONDS[unit] ?? 1);
  throw new CliError(`${option}: ${JSON.stringify(text)} is not a number of seconds`, {
    hint: "Write digits, and ms, s, m or h after them for milliseconds, seconds, minutes or hours.",
  });
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Reads an id, or a name, which is looked up once the root is known. */
export function idOrName(text: string, option: string): number | string {
  if (/^\d+$/.test(text)) return Number(text);
  if (/^[a-z_][\w.-]*\$?$/i.test(text)) return text;
  throw new CliError(`${option}: ${JSON.stringify(text)} is neither a number nor a name`);
}

/** Reads a number of bytes. */
export function size(text: string, option: string): number {
  const [, digits, unit = ""] = /^(\d{1,15})([kmg]?)$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
  throw new CliError(`${option}: SIZE ${JSON.stringify(text)} is not a number of bytes`, {
    hint: "Write digits, and k, m or g after them for KiB, MiB or GiB.",
  });
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** Reads `K=V`. */
export function variable(text: string, option: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError(`${option}: ${JSON.stringify(text)} is not K=V`, {
    hint: `To hand on the caller's value, write --inherit-env ${at === 0 ? "NAME" : text}.`,
  });
}

/**
 * Reads the variables of a file: `K=V` on each line, as it is up to the end of the line. Empty lines, and those that begin
 * with `#`, say nothing. Messages do not show the values.
 */
export function variablesOf(path: string, option: string): (readonly [string, string])[] {
  const name = JSON.stringify(path);
  const lineOf = new Map<string, number>();
  return fileText(path, option)
    .split("\n")
    .flatMap((line, index) => {
      if (line.trim() === "" || line.startsWith("#")) return [];
      const [key, at] = [line.slice(0, Math.max(0, line.indexOf("="))), index + 1];
      if (key === "") throw new CliError(`${option}: ${name}, line ${at}: is not K=V`);
      if (/\s/.test(key))
        throw new CliError(
          `${option}: ${name}, line ${at}: ${JSON.stringify(key)} is a name with a space`,
          { hint: "The file is not read as by a shell: write K=V, without `export`." },
        );
      const before = lineOf.get(key);
      if (before !== undefined)
        throw new CliError(
          `${option}: ${name}, line ${at}: ${JSON.stringify(key)} is set in line ${before} already`,
        );
      lineOf.set(key, at);
      return [[key, line.slice(key.length + 1)] as const];
    });
}

function fileText(path: string, option: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(contentOf(hostPath(path)));
  } catch (error) {
    throw new CliError(`${option}: ${JSON.stringify(path)} cannot be read: ${reasonOf(error)}`);
  }
}

/** The most bytes of a file that an option names. */
const LONGEST = 1024 * 1024;

/** Reads a file that need not have an end. @throws an error with the code `EFBIG` for one of more than a mebibyte. */
export function contentOf(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(LONGEST + 1);
    let size = 0;
    for (let got = -1; got !== 0 && size < bytes.length; size += got)
      got = readSync(file, bytes, size, bytes.length - size, null);
    if (size > LONGEST) throw Object.assign(new Error("it is too long"), { code: "EFBIG" });
    return bytes.subarray(0, size);
  } finally {
    closeSync(file);
  }
}

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return REASONS[code] ?? code;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  EFBIG: "it is longer than a mebibyte",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8",
};

/** Core's NAMESPACES, for which the help cannot wait: it takes long to load core. */
export const NAMESPACES: Config["isolate"] = ["mount", "pid", "ipc", "uts", "user", "cgroup"];

/** Reads a list of namespaces, `all` or `none`. Core reports the words that it does not know. */
export function namespaces(text: string): readonly string[] {
  if (text === "all") return NAMESPACES;
  return text === "none" ? [] : text.split(",");
}

/** Core's SECCOMP_NAMES, for which the help cannot wait either. */
export const SECCOMP_NAMES: readonly string[] = ["default", "build", "strict", "none"];

/** Core's ALLOWANCES, as above. */
export const ALLOWANCES: Config["allow"] = ["user-namespaces"];

/** Reads the name of a profile, or a file with one in Docker's form. Core reports the names that it does not know. */
export function seccompProfile(text: string, option: string): unknown {
  if (SECCOMP_NAMES.includes(text)) return text;
  const what = `${option}: ${JSON.stringify(text)}`;
  if (!text.includes("/") && !text.endsWith(".json"))
    throw new CliError(`${what} is no profile`, {
      hint: `There are ${SECCOMP_NAMES.join(", ")}. A file has a slash in its name, as in ./NAME, or ends in .json.`,
    });
  try {
    return { profile: JSON.parse(fileText(text, option)) as unknown };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(`${what} is not JSON: ${error.message}`);
  }
}

/** Reads the name of a signal, with or without `SIG`. Core reports the names that it does not know. */
export function signalName(text: string): string {
  return `SIG${text.replace(/^SIG/, "")}`;
}

/** Reads `SRC[:DST[:ro|rw]]`. SRC is a path of the host; an absent or empty DST is the same path. */
export function bindMount(text: string, option: string): MountInput {
  const [from = "", to, mode, ...more] = parts(text);
  const what = `${option}: ${JSON.stringify(text)}`;
  const hint =
    "Write SRC, SRC:DST, SRC:DST:ro, SRC:DST:rw or SRC::ro, and `\\:` for a colon in a path.";
  if (from === "") throw new CliError(`${what} has no SRC`, { hint });
  if (more.length > 0) throw new CliError(`${what} has too many parts`, { hint });
  if (mode !== undefined && mode !== "ro" && mode !== "rw") {
    throw new CliError(`${what} ends with ${JSON.stringify(mode)}, which is neither ro nor rw`, {
      hint,
    });
  }
  if (to === "" && mode === undefined) throw new CliError(`${what} has no DST`, { hint });
  if (to !== undefined && to !== "" && !to.startsWith("/")) {
    throw new CliError(`${what}: DST ${JSON.stringify(to)} must be an absolute path inside`, {
      hint,
    });
  }
  const source = hostPath(from);
  const target = to === undefined || to === "" ? source : to;
  return { type: "bind", source, target, readOnly: mode === "ro" };
}

/** Reads `DST[:SIZE]`. */
export function tmpfsMount(text: string, option: string): MountInput {
  const [target = "", most, ...more] = parts(text);
  const what = `${option}: ${JSON.stringify(text)}`;
  if (target === "" || most === "" || more.length > 0) {
    throw new CliError(`${what} is not DST[:SIZE]`, {
      hint: "Write DST or DST:SIZE, and `\\:` for a colon in a path.",
    });
  }
  return most === undefined
    ? { type: "tmpfs", target }
    : { type: "tmpfs", target, size: size(most, what) };
}

/** Splits at every colon that has no backslash before it. */
function parts(text: string): string[] {
  return text.split(/(?<!\\):/).map((part) => part.replaceAll("\\:", ":"));
}

/** Reads the target of a procfs. */
export function procMount(target: string): MountInput {
  return { type: "proc", target };
}

/** Reads the target of a minimal /dev. */
export function devMount(target: string): MountInput {
  return { type: "dev", target };
}

/** Reads `NAME=PATH[:ro]`, as name and volume of an App Container image. */
export function volume(
  text: string,
  option: string,
): [name: string, volume: { readonly source: string; readonly readOnly: boolean }] {
  const [, name, path, readOnly] = /^([a-z0-9-]+)=(.+?)(:ro)?$/s.exec(text) ?? [];
  if (name !== undefined && path !== undefined)
    return [name, { source: hostPath(path), readOnly: readOnly !== undefined }];
  throw new CliError(`${option}: ${JSON.stringify(text)} is not NAME=PATH[:ro]`);
}
