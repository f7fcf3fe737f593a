import { describe, expect, it } from "vitest";
import { createPool, createSandbox } from "../../src/index.js";
import { thrown } from "../support/thrown.js";

const WRONG: readonly (readonly [options: unknown, message: string, hint?: string])[] = [
  [null, "options: null is no object"],
  ["bubblewrap", 'options: "bubblewrap" is no object'],
  [{ prefr: "all" }, "prefr: unknown option", "Did you mean `prefer`?"],
  [
    { timeout: 5 },
    "timeout: unknown option",
    "A time limit is `limits.wallTime` of the config, in seconds.",
  ],
  [
    { backend: 3 },
    "backend: 3 is neither a backend nor a name",
    "Give the default export of a backend's package, or the name of one.",
  ],
  [
    { backend: { name: "half" } },
    'backend: {"name":"half"} is neither a backend nor a name',
    "Give the default export of a backend's package, or the name of one.",
  ],
  [
    { prefer: "network.none" },
    'prefer: "network.none" is no list',
    'It is "all", or a list of capabilities: ["network.none"].',
  ],
  [
    { prefer: ["hidden", "netwrok.none"] },
    'prefer[1]: "netwrok.none" is no capability',
    "Did you mean network.none?",
  ],
  [{ prefer: [7] }, "prefer[0]: 7 is no capability", "`allCapabilities()` has all of them."],
  [
    { prefer: ["root"] },
    'prefer[0]: "root" cannot be let go',
    "It decides what the program is given. Change the config, or use a backend that has it.",
  ],
  [{ cgroup: 1 }, "cgroup: 1 is no path"],
  [{ signal: {} }, "signal: it is no AbortSignal"],
];

describe("the options of a sandbox", () => {
  it.each(WRONG)("%j are CONFIG_INVALID", async (options, message, hint) => {
    const error = await thrown(() => createSandbox({}, options as never));
    expect([error.code, error.message, error.hint]).toEqual(["CONFIG_INVALID", message, hint]);
  });
});

describe("the options of a pool", () => {
  it.each([
    [undefined, "options: undefined is no object"],
    [{}, "size: undefined is not a whole number from 1 to 256"],
    [{ size: 1.5 }, "size: 1.5 is not a whole number from 1 to 256"],
    [{ size: 2n }, "size: 2n is not a whole number from 1 to 256"],
    [{ size: 1, sise: 2 }, "sise: unknown option"],
    [{ size: 1, prefer: "hidden" }, 'prefer: "hidden" is no list'],
  ])("%o are CONFIG_INVALID", async (options, message) => {
    const error = await thrown(() => createPool({}, options as never));
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", message]);
  });
});
