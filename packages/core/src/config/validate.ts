import type { SchemaNode } from "./schema-node.js";
import { TEXT_RULES } from "./text.js";

/** What is wrong with a value: where it stands, and which word of the schema it breaks. */
export type Issue = { readonly path: readonly PropertyKey[] } & Fault;

type Fault =
  | { readonly code: "type"; readonly expected: string }
  | { readonly code: "value"; readonly values: readonly unknown[] }
  | { readonly code: "tag"; readonly values: readonly unknown[] }
  | { readonly code: "least"; readonly least: number; readonly isAllowed: boolean }
  | { readonly code: "most"; readonly most: number }
  | { readonly code: "empty" }
  | { readonly code: "text"; readonly message: string }
  | { readonly code: "unknown keys"; readonly keys: readonly string[] }
  | { readonly code: "key"; readonly message: string }
  | { readonly code: "union"; readonly branches: readonly Issue[] };

/**
 * Checks a value against the schema of the config, and fills in the defaults. It knows the words of JSON Schema that this one
 * schema uses.
 *
 * @param issues - What is wrong is added to them, in the order of the schema. Without any, what is returned is the value.
 */
export function validate(
  schema: SchemaNode,
  value: unknown,
  path: readonly PropertyKey[],
  issues: Issue[],
): unknown {
  if (value === undefined && "default" in schema) return structuredClone(schema.default);
  const fail = (fault: Fault): undefined => void issues.push({ path, ...fault });
  if (schema.anyOf !== undefined) return validateUnion(schema.anyOf, value, path, issues);
  if (schema.oneOf !== undefined) return validateTagged(schema.oneOf, value, path, issues);
  const values = "const" in schema ? [schema.const] : schema.enum;
  if (values !== undefined) return values.includes(value) ? value : fail({ code: "value", values });
  switch (schema.type) {
    case undefined:
      // Anything at all: another package reads it.
      return value;
    case "object":
      if (!isObject(value)) return fail({ code: "type", expected: "object" });
      return schema.properties === undefined
        ? validateRecord(schema, value, path, issues)
        : validateFields(schema, schema.properties, value, path, issues);
    case "array":
      if (!Array.isArray(value)) return fail({ code: "type", expected: "array" });
      return validateList(schema, value, path, issues);
    case "string":
      if (typeof value !== "string") return fail({ code: "type", expected: "string" });
      return validateText(schema, value, fail);
    case "boolean":
      return typeof value === "boolean" ? value : fail({ code: "type", expected: "boolean" });
    default:
      if (!Number.isFinite(value)) return fail({ code: "type", expected: "number" });
      return validateNumber(schema, Number(value), fail);
  }
}

type Fail = (fault: Fault) => undefined;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The branches have no issue in common, so the first one that has none is the one that was meant; else one at which nothing
 * is wrong but keys too many.
 */
function validateUnion(
  schemas: readonly SchemaNode[],
  value: unknown,
  path: readonly PropertyKey[],
  issues: Issue[],
): unknown {
  const branches: Issue[][] = [];
  for (const schema of schemas) {
    const own: Issue[] = [];
    const valid = validate(schema, value, path, own);
    if (own.length === 0) return valid;
    branches.push(own);
  }
  const meant = branches.filter((own) => own.every(({ code }) => code === "unknown keys"));
  if (meant.length === 1) issues.push(...meant.flat());
  else issues.push({ path, code: "union", branches: branches.flat() });
  return undefined;
}

/** Objects of several kinds, which the field `type` tells apart. */
function validateTagged(
  schemas: readonly SchemaNode[],
  value: unknown,
  path: readonly PropertyKey[],
  issues: Issue[],
): unknown {
  if (!isObject(value)) return void issues.push({ path, code: "type", expected: "object" });
  const values = schemas.map(({ properties }) => properties?.["type"]?.const);
  const schema = schemas.find((_, index) => values[index] === value["type"]);
  if (schema !== undefined) return validate(schema, value, path, issues);
  return void issues.push({ path: [...path, "type"], code: "tag", values });
}

function validateFields(
  { required = [] }: SchemaNode,
  properties: Readonly<Record<string, SchemaNode>>,
  value: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
  issues: Issue[],
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(properties)) {
    const given = value[key];
    const isMissing = given === undefined && !("default" in schema) && !required.includes(key);
    if (!isMissing) fields[key] = validate(schema, given, [...path, key], issues);
    else if (key in value) fields[key] = undefined;
  }
  const keys = Object.keys(value).filter((key) => !Object.hasOwn(properties, key));
  if (keys.length > 0) issues.push({ path, code: "unknown keys", keys });
  return fields;
}

function validateRecord(
  { propertyNames = {}, additionalProperties = {} }: SchemaNode,
  value: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
  issues: Issue[],
): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const [key, each] of Object.entries(value)) {
    const at = [...path, key];
    const ofKey: Issue[] = [];
    validate(propertyNames, key, at, ofKey);
    const [first] = ofKey;
    if (first?.code === "text") issues.push({ ...first, code: "key" });
    else if (additionalProperties !== false)
      entries.push([key, validate(additionalProperties, each, at, issues)]);
  }
  return Object.fromEntries(entries);
}

function validateList(
  { items = {}, minItems = 0 }: SchemaNode,
  value: readonly unknown[],
  path: readonly PropertyKey[],
  issues: Issue[],
): unknown[] {
  const list = Array.from(value, (each, index) => validate(items, each, [...path, index], issues));
  if (list.length < minItems) issues.push({ path, code: "empty" });
  return list;
}

function validateText({ rule }: SchemaNode, value: string, fail: Fail): string | undefined {
  if (rule === undefined) return value;
  const { broken, tidy } = TEXT_RULES[rule];
  const message = broken(value);
  if (message !== undefined) return fail({ code: "text", message });
  return tidy === undefined ? value : tidy(value);
}

function validateNumber(schema: SchemaNode, value: number, fail: Fail): number | undefined {
  const { type, minimum = -Infinity, exclusiveMinimum = -Infinity, maximum = Infinity } = schema;
  if (type === "integer") {
    if (!Number.isInteger(value)) return fail({ code: "type", expected: "int" });
    if (!Number.isSafeInteger(value)) return failUnsafe(value, fail);
  }
  if (value <= exclusiveMinimum)
    return fail({ code: "least", least: exclusiveMinimum, isAllowed: false });
  if (value < minimum) return fail({ code: "least", least: minimum, isAllowed: true });
  return value > maximum ? fail({ code: "most", most: maximum }) : value;
}

/** Beyond these whole numbers there are some that cannot be told from their neighbours. */
function failUnsafe(value: number, fail: Fail): undefined {
  return value > 0
    ? fail({ code: "most", most: Number.MAX_SAFE_INTEGER })
    : fail({ code: "least", least: Number.MIN_SAFE_INTEGER, isAllowed: true });
}
