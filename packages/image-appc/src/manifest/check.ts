import type * as z from "zod/mini";
import { fault, show } from "./fault.js";

/**
 * Checks a value against a schema.
 *
 * @param name - What errors call the value itself; a field in it is `app.exec[0]`.
 * @throws SandboxError `IMAGE_INVALID`, naming the first field at fault.
 */
export function check<Type>(schema: z.ZodMiniType<Type>, value: unknown, name: string): Type {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw fault(name, "is invalid");
  const found = innermost(issue);
  const at = found.path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
  const shown = at === undefined || typeof at === "object" ? "" : `${show(at)} `;
  throw fault(fieldPath(found.path, name), `${shown}${broken(found, at === undefined)}`);
}

/** Of the branches of a union, the issue that lies deepest, since that branch most likely is the one that was meant. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const deepest = issue.errors
    .flat()
    .reduce((best, next) => (next.path.length > best.path.length ? next : best));
  return innermost({ ...deepest, path: [...issue.path, ...deepest.path] });
}

function broken(issue: z.core.$ZodIssue, isMissing: boolean): string {
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
