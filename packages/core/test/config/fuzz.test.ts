import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Config, isSandboxError, NAMESPACES, parseConfig } from "../../src/index.js";

const word = fc.oneof(
  fc.string(),
  fc.constantFrom("", "/", "..", "a\0b", "PWD", "__proto__", "all", "host"),
);
const path = fc.oneof(
  word,
  fc.array(word).map((words) => `/${words.join("/")}`),
);
const mount = fc.record(
  {
    type: fc.constantFrom("bind", "tmpfs", "proc", "dev", "nonsense"),
    source: path,
    target: path,
    readOnly: fc.boolean(),
    size: fc.oneof(fc.integer(), fc.double()),
  },
  { requiredKeys: [] },
);
const nearly = fc.record(
  {
    command: fc.array(word),
    root: path,
    writable: fc.oneof(fc.constant("all"), fc.array(path)),
    hidden: fc.array(path),
    mounts: fc.array(fc.oneof(mount, fc.anything())),
    cwd: path,
    env: fc.dictionary(word, word),
    inheritEnv: fc.array(word),
    network: fc.oneof(fc.constantFrom("none", "host"), word),
    isolate: fc.array(fc.oneof(fc.constantFrom(...NAMESPACES), word)),
    user: fc.record({ uid: fc.integer(), gid: fc.integer() }),
    hostname: word,
    limits: fc.record({ wallTime: fc.double() }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

/** Paths that are valid, so that whole configs are, too. */
const goodPath = fc
  .array(
    fc.stringMatching(/^[^/\0]+$/).filter((name) => name !== ".."),
    { maxLength: 4 },
  )
  .map((names) => `/${names.join("/")}`);
const good = fc.record(
  {
    command: fc.array(fc.stringMatching(/^[^\0]*$/), { minLength: 1 }),
    root: goodPath,
    writable: fc.oneof(fc.constant("all" as const), fc.array(goodPath)),
    mounts: fc.uniqueArray(
      fc.record({
        type: fc.constant("bind" as const),
        source: goodPath,
        target: goodPath.map((at) => `/m${at}`),
        readOnly: fc.boolean(),
      }),
      { selector: ({ target }) => parseConfig({ cwd: target }).cwd },
    ),
    env: fc.dictionary(fc.stringMatching(/^[A-Z_]{4,}$/), fc.stringMatching(/^[^\0]*$/)),
    isolate: fc.subarray([...NAMESPACES]),
    limits: fc.record({ wallTime: fc.integer({ min: 1, max: 1000 }) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

describe("parseConfig, whatever it is given", () => {
  it("throws nothing but a SandboxError that names a field", () => {
    fc.assert(
      fc.property(fc.oneof(nearly, fc.anything(), fc.object()), (input) => {
        const error = errorOf(input);
        if (error === undefined) return;
        expect(error).toSatisfy(isSandboxError);
        expect(error).toMatchObject({ code: "CONFIG_INVALID", path: expect.any(String) });
      }),
      { numRuns: 2000 },
    );
  });

  it("says one line without control characters", () => {
    fc.assert(
      fc.property(nearly, (input) => {
        const error = errorOf(input);
        if (isSandboxError(error)) expect(error.message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
      { numRuns: 1000 },
    );
  });

  it("parses what it has parsed to the same again", () => {
    fc.assert(
      fc.property(fc.oneof(good, nearly), (input) => {
        if (errorOf(input) !== undefined) return;
        const config: Config = parseConfig(input);
        expect(parseConfig(config)).toEqual(config);
        expect(parseConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
      }),
      { numRuns: 1000 },
    );
  });

  it("takes a config of valid fields", () => {
    fc.assert(fc.property(good, (input) => errorOf(input) === undefined));
  });
});

function errorOf(input: unknown): unknown {
  try {
    parseConfig(input);
    return undefined;
  } catch (error) {
    return error;
  }
}
