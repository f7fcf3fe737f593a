import { realpathSync } from "node:fs";
import { SandboxError } from "../result/error.js";
import { withDefaultMounts } from "./default-mounts.js";
import { nearest } from "./nearest.js";
import { brokenRules } from "./rules.js";
import { CONFIG_SCHEMA } from "./schema.generated.js";
import type { SchemaNode } from "./schema-node.js";
import { shown } from "./text.js";
import type { Config, ConfigInput, ParsedConfig } from "./types.js";
import { type Issue, validate } from "./validate.js";

/**
 * Checks a config, which may be hostile, and fills in the defaults.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the first field at fault; `PATH_INVALID` without `cwd` when the
 * caller's own no longer exists.
 */
export function parseConfig(input: unknown): Config {
  const fields = parseFields(input);
  const cwd = fields.cwd ?? defaultCwd(fields.root);
  const config = { ...fields, ...withDefaultMounts(fields), cwd };
  for (const { path, message, hint } of brokenRules(config)) {
    throw new SandboxError("CONFIG_INVALID", `${path}: ${message}`, { path, hint });
  }
  return config;
}

/**
 * Checks each field of a config for itself. The rules between fields are left out: what else is to be merged into the
 * config may be what they ask for.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the first field at fault.
 */
export function parseFields(input: unknown): ParsedConfig {
  refuseStrange(input, []);
  const issues: Issue[] = [];
  const parsed = validate(CONFIG_SCHEMA, withPlainEnv(input), [], issues);
  const [first] = issues;
  if (first === undefined) return parsed as ParsedConfig;
  const { path, message, hint = HINT_FIELDS } = describeIssue(first, input);
  throw new SandboxError("CONFIG_INVALID", message, { path, hint });
}

const HINT_FIELDS = "`configJsonSchema()` has every field.";

/** Takes `process.env`, which is no plain object, for the environment that it is. A variable that is undefined is not set. */
function withPlainEnv(input: unknown): unknown {
  if (typeof input !== "object" || input === null || !("env" in input)) return input;
  const { env } = input;
  if (typeof env !== "object" || env === null || Array.isArray(env)) return input;
  const set = Object.entries(env).filter(([, value]) => value !== undefined);
  return { ...input, env: Object.fromEntries(set) };
}

/** Types a config as it is written, with no effect at run time. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/** Refuses keys such as `__proto__`, and objects such as a Map or a Promise: the schema would see nothing in them. */
function refuseStrange(value: unknown, at: readonly PropertyKey[]): void {
  if (typeof value !== "object" || value === null || at.length > 8) return;
  refuseOtherObjects(value, fieldPath(at));
  for (const key of Object.keys(value)) {
    const path = fieldPath([...at, key]);
    if (key === "__proto__")
      throw new SandboxError("CONFIG_INVALID", `${path}: unknown key`, { path });
    refuseStrange((value as Record<string, unknown>)[key], [...at, key]);
  }
}

/**
 * Refuses an object that is neither a plain one nor a list: what it holds may not be among its keys.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function refuseOtherObjects(value: object, path: string): void {
  if (Array.isArray(value) || value === process.env) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm has another Object.prototype.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return;
  const name = Object.prototype.toString.call(value).slice("[object ".length, -1);
  throw new SandboxError("CONFIG_INVALID", `${path}: a ${name} is no plain object`, {
    path,
    hint: value instanceof Promise ? "Await it." : "Write it as `{ name: value }`.",
  });
}

function defaultCwd(root: string): string {
  if (root !== "/") return "/";
  try {
    return realpathSync(process.cwd());
  } catch (cause) {
    throw new SandboxError(
      "PATH_INVALID",
      "cwd: the caller's working directory does not exist any more",
      {
        path: "cwd",
        hint: "Set `cwd`.",
        cause,
      },
    );
  }
}

/** What is wrong with a config, in words. */
interface Description {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** Puts one issue of the schema into words: the field, what is wrong with it, and the value at fault. */
function describeIssue(issue: Issue, input: unknown): Description {
  if (issue.code === "union") return describeUnion(issue, input);
  if (issue.code === "unknown keys") return describeUnknownKey(issue);
  if (issue.code === "key") {
    const path = fieldPath(issue.path.slice(0, -1));
    const name = issue.path.at(-1);
    return {
      path,
      message: `${path}: ${shown(name)} ${issue.message}`,
      ...(name === "PWD" && PWD_HINT),
    };
  }
  const path = fieldPath(issue.path);
  const value = issue.path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
  // The values of variables may be secrets.
  const given = value === undefined || issue.path[0] === "env" ? "" : `${shown(value)} `;
  return { path, message: `${path}: ${given}${broken(issue, value)}`, ...hintFor(path, value) };
}

const PWD_HINT = {
  hint: "Of a whole environment, take `const { PWD, ...env } = process.env`, or name what the program needs in `inheritEnv`.",
};

function describeUnknownKey(issue: Issue & { code: "unknown keys" }): Description {
  const [key = ""] = issue.keys;
  const path = fieldPath([...issue.path, key]);
  const near = nearest(key, fieldsAt(issue.path));
  return {
    path,
    message: `${path}: unknown key`,
    ...(near !== undefined && { hint: `Did you mean \`${near}\`?` }),
  };
}

/** The names of the fields of an object in the config. */
function fieldsAt(path: readonly PropertyKey[]): string[] {
  let at: readonly SchemaNode[] = [CONFIG_SCHEMA];
  for (const key of path)
    at = at.flatMap((node) => {
      const next = typeof key === "number" ? node.items : node.properties?.[String(key)];
      return next === undefined ? [] : [next, ...(next.anyOf ?? []), ...(next.oneOf ?? [])];
    });
  return at.flatMap(({ properties }) => Object.keys(properties ?? {}));
}

/** A text where a list is wanted is what many write first. */
function hintFor(path: string, value: unknown): { hint?: string } {
  if (typeof value !== "string") return {};
  if (path === "command") return { hint: 'Give each word by itself: `["ls", "-l"]`.' };
  const isList = ["writable", "hidden", "inheritEnv", "allow"].includes(path);
  return isList ? { hint: `Write a list: \`[${shown(value)}]\`.` } : {};
}

/**
 * Of a union's branches the one that got furthest says what the user meant. When none got further than the value itself,
 * any of them will do.
 */
function describeUnion({ path, branches }: Issue & { code: "union" }, input: unknown): Description {
  const deepest = branches.reduce((best, next) =>
    next.path.length > best.path.length ? next : best,
  );
  const described = describeIssue(deepest, input);
  if (deepest.path.length > path.length) return described;
  const ways = branches.map((each) => wanted(each)).filter((each) => each !== undefined);
  const said = wanted(deepest);
  if (said === undefined) return described;
  return { ...described, message: described.message.replace(said, ways.join(" or ")) };
}

function broken(issue: Issue, value: unknown): string {
  const is = value === undefined ? "is missing: it must be" : "must be";
  if (issue.code === "empty") return "must not be empty";
  return issue.code === "text" ? issue.message : `${is} ${wanted(issue)}`;
}

/** What a value must be; undefined where only the issue's own message says it. */
function wanted(issue: Issue): string | undefined {
  switch (issue.code) {
    case "type":
      return TYPES[issue.expected] ?? `a ${issue.expected}`;
    case "value":
      return issue.values.map(shown).join(" or ");
    case "tag":
      return `one of ${issue.values.map(shown).join(", ")}`;
    case "least":
      return `${issue.isAllowed ? "at least" : "more than"} ${issue.least}`;
    case "most":
      return `at most ${issue.most}`;
    default:
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  int: "a whole number",
  object: "an object",
};

/** Writes the path of a field as a user would: `mounts[0].source`. The config itself is `config`. */
export function fieldPath(keys: readonly PropertyKey[]): string {
  if (keys.length === 0) return "config";
  return keys
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      const name = String(key);
      if (!/^[\w$-]+$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join("");
}
