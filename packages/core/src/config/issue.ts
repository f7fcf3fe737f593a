import type { core } from "zod/mini";

/** Puts one issue of the schema into words: the field, what is wrong with it, and the value at fault. */
export function describeIssue(
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
