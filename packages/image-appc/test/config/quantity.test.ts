import { expect, it } from "vitest";
import { quantity } from "../../src/config/quantity.js";

it.each([
  ["128974848", 128_974_848],
  ["125952Ki", 128_974_848],
  ["123Mi", 128_974_848],
  ["300m", 0.3],
  ["0.3", 0.3],
  ["2G", 2e9],
  ["1Ei", 2 ** 60],
  [5, 5],
])("%j is %d", (text, number) => {
  expect(quantity(text)).toBe(number);
});

it.each(["", "1GB", "-1", "1e400", "1 G", "constructor", "__proto__", "0x10", null, {}, "1..5"])(
  "%j is no quantity",
  (text) => {
    expect(quantity(text)).toBe(undefined);
  },
);
