import { describe, expect, it } from "vitest";
import { CAPABILITIES, configJsonSchema, parseConfig } from "../../src/index.js";

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
}

const schema = configJsonSchema() as Schema;
const fields = schema.properties ?? {};

describe("the JSON Schema", () => {
  it("has the fields of config version 1", () => {
    expect(Object.keys(fields)).toEqual(
      "command root overlay writable hidden mounts defaultMounts cwd env inheritEnv network isolate seccomp allow user hostname limits stop".split(
        " ",
      ),
    );
  });

  it("is strict, and demands no field", () => {
    expect([schema.type, schema.additionalProperties, schema.required]).toEqual([
      "object",
      false,
      undefined,
    ]);
  });

  it("describes each field", () => {
    expect(
      Object.entries(fields)
        .filter(([, { description }]) => !description)
        .map(([name]) => name),
    ).toEqual([]);
  });

  it("has the defaults that parseConfig fills in", () => {
    const config: Record<string, unknown> = { ...parseConfig({}) };
    for (const [name, field] of Object.entries(fields))
      if (!["cwd", "mounts", "defaultMounts"].includes(name))
        expect([name, field.default]).toEqual([name, config[name]]);
  });

  it("is JSON, and has no word that is not for it", () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(JSON.stringify(schema)).not.toContain("undefined");
    expect(Object.keys(CAPABILITIES).length).toBeGreaterThan(0);
  });
});
