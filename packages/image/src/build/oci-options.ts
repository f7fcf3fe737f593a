import {
  absolutePath,
  checkKind,
  checkKinds,
  exactText,
  fieldPath,
  invalidOption,
  KINDS,
  type Kind,
} from "@sandboxlib/core/internal";
import { isObject, LAST_ID } from "../image.js";
import { type BuildReport, REPORT } from "./archive.js";

/** What an OCI image says beside its files. */
export interface OciOptions extends BuildReport {
  /** Such as `linux/amd64`. Default: this machine's platform. */
  readonly platform?: string | undefined;
  /** A name for the image in its layout. Default: none. */
  readonly tag?: string | undefined;
  /** The program and its first arguments, which a run keeps. Default: none. */
  readonly entrypoint?: readonly string[] | undefined;
  /** The arguments after those, which a run may replace; without an entry point, the command. Default: none. */
  readonly command?: readonly string[] | undefined;
  /** The variables of the program. Default: none. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The user of the program, `USER[:GROUP]`, each a name or a number. Default: root. */
  readonly user?: string | undefined;
  /** The directory in which the program starts. Default: the root. */
  readonly workingDirectory?: string | undefined;
}

/**
 * What is written into an image is what every later run of it gets, so nothing is written that is none.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function checkOciOptions(options: OciOptions): void {
  checkKinds<OciOptions>(options, OPTIONS, PLACES);
  const { entrypoint, command, env = {}, workingDirectory } = options;
  for (const [name, words] of Object.entries({ entrypoint, command }))
    for (const [index, word] of (words ?? []).entries())
      checkKind(fieldPath([name, index]), word, WORD);
  for (const [name, value] of Object.entries(env)) {
    const path = fieldPath(["env", name]);
    const broken = brokenName(name);
    if (broken !== undefined) throw invalidOption(path, broken);
    checkKind(path, value, WORD);
  }
  const broken = workingDirectory === undefined ? undefined : absolutePath(workingDirectory);
  if (broken !== undefined)
    throw invalidOption("workingDirectory", `${JSON.stringify(workingDirectory)} ${broken}`);
}

/** Words and variables may be secret, so that they are not shown. */
const WORD: Kind = { ...KINDS.text, isSecret: true };

const WORDS: Kind = { accepts: Array.isArray, not: "is no list of words", isSecret: true };

const OPTIONS: Readonly<Record<keyof OciOptions, Kind>> = {
  platform: KINDS.text,
  tag: { accepts: isTag, not: "is no tag, such as app:1.0" },
  entrypoint: WORDS,
  command: WORDS,
  env: { accepts: isObject, not: "is no object with a text for each name", isSecret: true },
  user: { accepts: isUser, not: "is not USER or USER:GROUP, each a name or a number" },
  workingDirectory: KINDS.path,
  ...REPORT,
};

const PLACES = {
  cmd: "It is called `command`.",
  cwd: "It is called `workingDirectory`.",
  workingDir: "It is called `workingDirectory`.",
} as const;

function brokenName(name: string): string | undefined {
  if (name === "") return "is an empty variable name";
  return name.includes("=") ? "is a variable name with `=`" : exactText(name);
}

/** As the OCI specification has it for `org.opencontainers.image.ref.name`, and with docker's separators. */
const TAG_PART = /^[A-Za-z0-9]+((?:[.:@+_]|__|-+)[A-Za-z0-9]+)*$/;

function isTag(tag: unknown): boolean {
  return typeof tag === "string" && tag.split("/").every((part) => TAG_PART.test(part));
}

function isUser(user: unknown): boolean {
  if (typeof user !== "string" || exactText(user) !== undefined) return false;
  const parts = user.split(":");
  return parts.length <= 2 && parts.every(isIdOrName);
}

function isIdOrName(word: string): boolean {
  return /^\d+$/.test(word) ? Number(word) <= LAST_ID : /^[^\s/\p{Cc}]+$/u.test(word);
}
