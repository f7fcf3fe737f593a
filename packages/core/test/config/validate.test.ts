import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { core } from "zod/mini";
import { CONFIG_SCHEMA } from "../../src/config/schema.generated.js";
import { annotatedJsonSchema, configSchema } from "../../src/config/schema.js";
import { type Issue, validate } from "../../src/config/validate.js";

const word = fc.oneof(
  fc.string(),
  fc.constantFrom("", "/", "/a//b/", "/a/../b", "a\0b", "\ud800", "PWD", "A=B", "all", "host"),
  fc.constantFrom(
    "none",
    "pid",
    "uts",
    "bind",
    "tmpfs",
    "proc",
    "SIGTERM",
    "SIGKILL",
    "kit.example",
  ),
);
const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    1,
    3,
    0.01,
    2_000_000,
    2_000_001,
    2 ** 53,
    -(2 ** 60),
    1e300,
    4_294_967_294,
  ),
);
const anything = fc.oneof(
  word,
  number,
  fc.anything(),
  fc.constantFrom(undefined, null, [], {}, true),
);

const variables = fc.dictionary(fc.constantFrom("A", "B"), fc.constantFrom("", "a=b"));

/** Values that follow the schema more often than not, and break each of its words now and then. */
const nearly = valuesOf(annotatedJsonSchema() as Node);

interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly rule?: string;
}

function valuesOf(node: Node): fc.Arbitrary<unknown> {
  return mostly<unknown>(goodOf(node), anything);
}

function goodOf(node: Node): fc.Arbitrary<unknown> {
  if ("const" in node) return fc.constant(node.const);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  const branches = node.anyOf ?? node.oneOf;
  if (branches !== undefined) return fc.oneof(...branches.map(valuesOf));
  if (node.properties !== undefined) return objectsOf(node.properties, node.required);
  if (node.type === "object") return mostly<unknown>(variables, fc.dictionary(word, anything));
  if (node.items !== undefined) return fc.array(valuesOf(node.items), { maxLength: 3 });
  if (node.type === "boolean") return fc.boolean();
  if (node.type !== "string") return mostly<unknown>(fc.integer({ min: 3, max: 100 }), number);
  const isPath = node.rule === "absolutePath";
  const text: fc.Arbitrary<unknown> = isPath
    ? fc.constantFrom("/", "/a//b/", "/srv/.")
    : fc.constantFrom("A", "kit");
  return mostly(text, word);
}

function mostly<Value>(one: fc.Arbitrary<Value>, other: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 60, arbitrary: one }, { weight: 1, arbitrary: other });
}

/** Without some of the fields, with others that there are not, and in any order. */
function objectsOf(
  properties: Readonly<Record<string, Node>>,
  required: readonly string[] = [],
): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, node]) => [name, valuesOf(node)]),
  );
  const known = mostly<object>(
    fc.record(fields, { requiredKeys: [...required] }),
    fc.record(fields, { requiredKeys: [] }),
  );
  const unknown = fc.dictionary(word, anything, { maxKeys: 1 });
  return fc
    .tuple(known, mostly<object>(fc.constant({}), unknown), fc.boolean())
    .map(([one, other, isFirst]) => (isFirst ? { ...other, ...one } : { ...one, ...other }));
}

describe("the data that configs are checked with", () => {
  it("is the schema (else: pnpm run docs)", () => {
    expect(CONFIG_SCHEMA).toStrictEqual(annotatedJsonSchema());
  });

  it("says the same as the schema: the same value, or the same first issue", () => {
    let valid = 0;
    fc.assert(
      fc.property(fc.oneof(nearly, fc.anything()), (input) => {
        const expected = configSchema.safeParse(input);
        const issues: Issue[] = [];
        const value = validate(CONFIG_SCHEMA, input, [], issues);
        const first = expected.error?.issues[0];
        expect(issues[0]).toStrictEqual(first === undefined ? undefined : issueOf(first));
        if (!expected.success) return;
        valid += 1;
        expect(value).toStrictEqual(expected.data);
        expect(JSON.stringify(value)).toBe(JSON.stringify(expected.data));
      }),
      { numRuns: 10_000 },
    );
    expect(valid).toBeGreaterThan(500);
  });

  it("gives each caller defaults of their own", () => {
    const parsed = (): unknown => validate(CONFIG_SCHEMA, {}, [], []);
    expect(parsed()).toStrictEqual(parsed());
    expect((parsed() as { env: object }).env).not.toBe((parsed() as { env: object }).env);
  });
});

/** An issue of zod's as ours. */
function issueOf(issue: core.$ZodIssue): Issue {
  const { path } = issue;
  switch (issue.code) {
    case "invalid_type":
      return { path, code: "type", expected: issue.expected.replace("record", "object") };
    case "invalid_value":
      return { path, code: "value", values: issue.values };
    case "invalid_union":
      if (issue.errors.length === 0) return { path, code: "tag", values: optionsOf(issue) };
      return {
        path,
        code: "union",
        branches: issue.errors
          .flat()
          .map((each) => issueOf({ ...each, path: [...path, ...each.path] })),
      };
    case "too_small":
      if (issue.origin === "array") return { path, code: "empty" };
      return {
        path,
        code: "least",
        least: Number(issue.minimum),
        isAllowed: issue.inclusive !== false,
      };
    case "too_big":
      return { path, code: "most", most: Number(issue.maximum) };
    case "unrecognized_keys":
      return { path, code: "unknown keys", keys: issue.keys };
    case "invalid_key":
      return { path, code: "key", message: String(issue.issues[0]?.message) };
    default:
      return { path, code: "text", message: issue.message };
  }
}

function optionsOf(issue: core.$ZodIssue): readonly unknown[] {
  return "options" in issue ? (issue.options ?? []) : [];
}
