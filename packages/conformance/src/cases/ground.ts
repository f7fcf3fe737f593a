import assert from "node:assert/strict";
import type { Topic } from "../case.js";

/** What every other case stands on. Where it does not hold, nothing else is tried. */
export const ground: Topic = {
  title: "ground",
  isAlone: true,
  limit: 30_000,
  cases: [
    {
      title: "a program runs, its output arrives, and so does its exit status",
      async run({ sh }) {
        const { outcome, exitCode, out } = await sh("echo hello; exit 7");
        assert.deepEqual(
          { outcome, exitCode, out },
          { outcome: "exited", exitCode: 7, out: "hello\n" },
        );
      },
    },
  ],
};
