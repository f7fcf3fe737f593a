import { describe, expect, it } from "vitest";
import { type Backend, defineBackend } from "../../../src/index.backend.js";
import { createSandbox } from "../../../src/index.js";

/** Prints what is on fd 4, and the words that came behind its own. */
const script = "printf '%s ' $#; cat <&4";

const backend: Backend = defineBackend({
  name: "made-up",
  mechanisms: { cwd: "nothing" },
  probe: async () => ({ available: true }),
  plan: ({ env }) => ({
    kind: "tool",
    argv: ["/bin/sh", "-c", script, "sh"],
    env,
    fds: { 4: "command" },
    interpret: ({ exitCode }) => ({ kind: "exited", exitCode: exitCode ?? 255 }),
  }),
});

describe("a plan that wants the command on an fd", () => {
  it("finds each word there with a NUL byte behind it, and none behind its own", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend, prefer: "all" });
    for (const words of [["true"], ["true", "a b", "", "--x=$y\n"]] as const) {
      const { stdout } = await sandbox.run(words);
      expect(Buffer.from(stdout ?? []).toString()).toBe(
        `0 ${words.map((word) => `${word}\0`).join("")}`,
      );
    }
    // More than a pipe holds.
    const many = Array.from({ length: 20_000 }, (_, index) => `word ${index}`);
    const { stdout } = await sandbox.run(["true", ...many]);
    expect(Buffer.from(stdout ?? []).toString()).toBe(
      `0 ${["true", ...many].map((word) => `${word}\0`).join("")}`,
    );
  });
});
