import { realpathSync } from "node:fs";
import type { core } from "zod/mini";
import { SandboxError } from "../result/error.js";
import { brokenRules } from "./rules.js";
import { configSchema } from "./schema.js";
import type { Config, ConfigInput, ParsedConfig } from "./types.js";

/**
 * Checks a config, which may be hostile, and fills in the defaults.
 *
 * @throws SandboxError `CONFIG_INVALID`, naming the first field at fault; `PATH_INVALID` without `cwd` when the
 * caller's own no longer exists.
 */
export function parseConfig(input: unknown): Config {
  const fields = parseFields(input);
  const config = { ...fields, cwd: fields.cwd ?? defaultCwd(fields.root) };
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
  refuseProtoKeys(input, []);
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const { path, message } = describeIssue(first, input);
    throw new SandboxError("CONFIG_INVALID", message, {
      path,
      hint: "`configJsonSchema()` has every field.",
    });
  }
  return parsed.data;
}

/** Types a config as it is written, with no effect at run time. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/** Refuses keys such as `__proto__`, which zod would drop in silence. */
function refuseProtoKeys(value: unknown, at: readonly PropertyKey[]): void {
  if (typeof value !== "object" || value === null || at.length > 8) return;
  for (const key of Object.keys(value)) {
    const path = fieldPath([...at, key]);
    if (key === "__proto__")
      throw new SandboxError("CONFIG_INVALID", `${path}: unknown key`, { path });
    refuseProtoKeys((value as Record<string, unknown>)[key], [...at, key]);
  }
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

/** Puts one issue of the schema into words: the field, what is wrong with it, and the value at fault. */
function describeIssue(
  issue: core.$ZodIssue | undefined,
  input: unknown,
): { path: string; message: string } {
  if (issue === undefined) return { path: "config", message: "config: is invalid" };
  if (issue.code === "invalid_union" && issue.errors.length > 0) return describeUnion(issue, input);
  if (issue.code === "unrecognized_keys") {
    const path = fieldPath([...issue.path, issue.keys[0] ?? ""]);
    return { path, message: `${path}: unknown key` };
  }
  if (issue.code === "invalid_key") {
    const path = fieldPath(issue.path.slice(0, -1));
    return {
      path,
      message: `${path}: ${show(issue.path.at(-1))} ${issue.issues[0]?.message ?? "is no valid key"}`,
    };
  }
  const path = fieldPath(issue.path);
  const value = issue.path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
  return {
    path,
    message: `${path}: ${value === undefined ? "" : `${show(value)} `}${broken(issue, value)}`,
  };
}

/** Of a union's branches the one that got furthest says what the user meant. */
function describeUnion(
  issue: core.$ZodIssueInvalidUnion,
  input: unknown,
): { path: string; message: string } {
  const deepest = issue.errors
    .flat()
    .reduce((best, next) => (next.path.length > best.path.length ? next : best));
  return describeIssue({ ...deepest, path: [...issue.path, ...deepest.path] }, input);
}

function broken(issue: core.$ZodIssue, value: unknown): string {
  const is = value === undefined ? "is missing: it must be" : "must be";
  switch (issue.code) {
    case "custom":
      return issue.message;
    case "invalid_type":
      return `${is} ${/^[aeio]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "invalid_value":
      return `${is} ${issue.values.map(show).join(" or ")}`;
    case "invalid_union":
      return `${is} one of ${("options" in issue ? (issue.options ?? []) : []).map(show).join(", ")}`;
    case "too_small":
      return issue.origin === "array" ? "must not be empty" : `${is} at least ${issue.minimum}`;
    case "too_big":
      return `${is} at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** JSON escapes control characters, so that a hostile value cannot write to a terminal; long ones are cut. */
function show(value: unknown): string {
  const json = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}

/** Writes the path of a field as a user would: `mounts[0].source`. The config itself is `config`. */
function fieldPath(keys: readonly PropertyKey[]): string {
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
