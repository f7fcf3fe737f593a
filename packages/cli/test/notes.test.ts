import { expect, test } from "vitest";
import { asText } from "../src/commands/explain.js";
import { droppedLines } from "../src/report-run.js";

const need = {
  capability: "hidden",
  path: "hidden",
  notes: ["hidden[0] has 2 hard links\n"],
} as const;

test("a run tells of other ways to what it protects", () => {
  expect(droppedLines({ needs: [need], dropped: [] })).toBe(
    "sandboxlib: hidden[0] has 2 hard links\\x0a\n",
  );
});

test("explain tells of them below the need", () => {
  const explained = { ...need, meaning: "", origin: undefined, status: "enforced" } as const;
  const needs = [{ ...explained, because: "a mask" }];
  const stdout = { isTTY: false, write: () => true } as unknown as Parameters<typeof asText>[1];
  expect(asText({ verdict: "runs", backend: "b", needs }, stdout)).toMatch(
    /a mask\n {4}note: hidden\[0\] has 2 hard links\\x0a\n$/,
  );
});
