import { allCapabilities } from "@sandboxlib/core";
import { attacks } from "@sandboxlib/prove";
import { expect, test } from "vitest";
import { topics } from "../src/cases/index.js";

test("every word is attacked by prove, or proved by a case of the kit", () => {
  const attacked = attacks.flatMap(({ about }) => (about === "always" ? [] : about));
  const proved = topics.flatMap(({ cases }) => cases.flatMap(({ proves = [] }) => proves));
  const known = new Set([...attacked, ...proved]);
  expect(allCapabilities().filter((word) => !known.has(word))).toEqual([]);
});
