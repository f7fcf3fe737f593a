import { SandboxError } from "@sandboxlib/core";
import type * as z from "zod/mini";

/** Makes an error about a field of a manifest, or about what the field refers to. The message is one line. */
export function fieldError(path: string, reason: string, hint?: string): SandboxError {
  return new SandboxError("IMAGE_INVALID", `${path}: ${reason}`, {
    path,
    ...(hint !== undefined && { hint }),
  });
}

/**
 * Prepares a value from a manifest for a message. Control characters are escaped, since they could change a terminal. A long
 * value is cut.
 */
export function show(value: unknown): string {
  const json = (JSON.stringify(value) ?? String(value)).replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}

/**
 * Checks a value against a schema.
 *
 * @param name - How errors call the whole value. They call a field in it by its path, such as `app.exec[0]`.
 * @throws SandboxError `IMAGE_INVALID`, which names the first wrong field.
 */
export function check<Type>(schema: z.ZodMiniType<Type>, value: unknown, name: string): Type {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw fieldError(name, "is invalid");
  const found = innermost(issue);
  const at = found.path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
  const text = at === undefined || typeof at === "object" ? "" : `${show(at)} `;
  throw fieldError(fieldPath(found.path, name), `${text}${ruleOf(found, at === undefined)}`);
}

/** Of the issues of a union, the one that lies deepest is reported: most likely the author meant that branch. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const deepest = issue.errors
    .flat()
    .reduce((best, next) => (next.path.length > best.path.length ? next : best));
  return innermost({ ...deepest, path: [...issue.path, ...deepest.path] });
}

function ruleOf(issue: z.core.$ZodIssue, isMissing: boolean): string {
  const is = isMissing ? "is missing: it must be" : "must be";
  switch (issue.code) {
    case "invalid_type":
      return `${is} ${/^[aeio]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "invalid_value":
      return `${is} ${issue.values.map(show).join(" or ")}`;
    case "too_small":
      return issue.origin === "array" ? "must not be empty" : `${is} at least ${issue.minimum}`;
    case "too_big":
      return issue.origin === "array"
        ? `has more than ${issue.maximum} entries`
        : `${is} at most ${issue.maximum}`;
    case "invalid_union":
      return `${is} something else`;
    default:
      return issue.message;
  }
}

function fieldPath(keys: readonly PropertyKey[], name: string): string {
  if (keys.length === 0) return name;
  return keys
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      const text = String(key);
      if (!/^[\w-]+$/.test(text)) return `[${show(text)}]`;
      return index === 0 ? text : `.${text}`;
    })
    .join("");
}
