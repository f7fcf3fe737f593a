import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { frame } from "./parser-bytes.js";
import { missing, replay, skip } from "./parser-replay.js";

const why = missing === undefined ? "" : ` (${missing})`;

describe.skipIf(skip)(`the parser and what the fuzzer found${why}`, () => {
  it("takes or refuses every set-up, without a fault", async () => {
    const setups = inputs("setup").map((input) => frame("S", input));
    const parsed = await replay("run", ...setups);
    expect(parsed).toHaveLength(setups.length);
    expect(parsed.some(({ wrong }) => wrong === undefined)).toBe(true);
  });

  it.each(["run", "session"] as const)("takes or refuses every command of a %s", async (mode) => {
    const commands = inputs("command").map((input) => frame("C", input));
    const parsed = await replay(mode, ...commands);
    expect(parsed).toHaveLength(commands.length);
    expect(parsed.some(({ wrong }) => wrong === undefined)).toBe(true);
  });

  it("takes or refuses every plan", async () => {
    const plans = inputs("plan").map((input) => frame("P", input));
    const parsed = await replay("run", ...plans);
    expect(parsed).toHaveLength(plans.length);
    expect(parsed.some(({ wrong }) => wrong === undefined)).toBe(true);
  });

  it("takes or refuses every stream of frames", async () => {
    for (const input of inputs("frames")) await replay("run", input);
  });
});

function inputs(target: string): Buffer[] {
  const corpus = join(import.meta.dirname, "../fuzz/corpus", target);
  return readdirSync(corpus).map((name) => readFileSync(join(corpus, name)));
}
