import { describe, expect, it } from "vitest";
import { compiledSeccomp } from "../src/compiled.js";
import { compileSeccomp } from "../src/index.js";
import { ARCHITECTURES, assembleNamed, FILTER_NAMES } from "../src/named.js";
import { interpret } from "./interpreter.js";

describe.each(ARCHITECTURES)("what is kept compiled for %s", (arch) => {
  it.each(FILTER_NAMES)("is what the compiler makes of %s", (name) => {
    expect(compiledSeccomp(name, arch)).toEqual(Buffer.from(assembleNamed(name, arch)));
    if (name === "default" || name === "build" || name === "strict")
      expect(compiledSeccomp(name, arch)).toEqual(
        Buffer.from(compileSeccomp(name, { arch }).filter),
      );
  });
});

it("an architecture without a table gets ENOSYS for everything", () => {
  const filter = compiledSeccomp("default", "s390x");
  expect(interpret(filter, { number: 1, audit: 0x8000_0016 }).verdict).toBe(0x0005_0026);
});
