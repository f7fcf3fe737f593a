import { constants } from "node:os";
import { expect, test } from "vitest";
import { signalName, signalNumber } from "../../src/index.js";
import { numberOf } from "../../src/result/signal.js";
import { thrown } from "../support/thrown.js";

test("every signal has a name, and the name its number", () => {
  const numbers = Array.from({ length: 64 }, (_, index) => index + 1);
  expect(numbers.map((number) => signalNumber(signalName(number)))).toEqual(numbers);
});

test("signals have the names of signal(7), real-time ones by their place", () => {
  expect([9, 15, 34, 37, 64, 32].map(signalName)).toEqual([
    "SIGKILL",
    "SIGTERM",
    "SIGRTMIN+0",
    "SIGRTMIN+3",
    "SIGRTMIN+30",
    "SIGRTMIN-2",
  ]);
});

test("what is no signal has no number", () => {
  const names = [
    "",
    "TERM",
    "SIGNONE",
    "SIGRTMIN",
    "SIGRTMIN+",
    "SIGRTMIN+31",
    "SIGRTMIN-3",
    "toString",
  ];
  expect(names.map(signalNumber)).toEqual(names.map(() => undefined));
  expect(signalNumber("SIGINT")).toBe(constants.signals.SIGINT);
});

test("a signal that there is not is a TypeError, which says the name that was meant", () => {
  expect(() => numberOf("TERM")).toThrow(
    new TypeError('unknown signal: "TERM". Did you mean "SIGTERM"?'),
  );
  expect(() => numberOf("FOO")).toThrow(/^unknown signal: "FOO"\. Signals have the names of/);
  expect(() => numberOf(15 as never)).toThrow(/^unknown signal: "15"\./);
});

test.each(["x", 0, -1, 1.5, Number.NaN, undefined])("%j has no name", async (number) => {
  expect(await thrown(() => signalName(number as number))).toMatchObject({
    code: "CONFIG_INVALID",
    path: "number",
    message: `number: ${String(number)} is not that of a signal`,
  });
});
