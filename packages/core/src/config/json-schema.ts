import { CONFIG_SCHEMA } from "./schema.generated.js";

/** Config version 1 as JSON Schema, draft 2020-12, for editors and for other languages. */
export function configJsonSchema(): Record<string, unknown> {
  return withoutRules(CONFIG_SCHEMA) as Record<string, unknown>;
}

/** A copy without what is no word of JSON Schema. */
function withoutRules(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRules);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => name !== "rule");
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutRules(each)]));
}
