import { expect, test } from "vitest";
import { onAbort, orAborted } from "../../src/host/abort.js";

test("whoever waits for an abort is called once, and not after it was taken back", () => {
  const controller = new AbortController();
  const calls: string[] = [];
  onAbort(controller.signal, () => calls.push("one"));
  const off = onAbort(controller.signal, () => calls.push("two"));
  onAbort(controller.signal, () => calls.push("three"));
  off();
  controller.abort();
  controller.abort();
  expect(calls).toEqual(["one", "three"]);
});

test("the same function may wait twice", () => {
  const controller = new AbortController();
  let calls = 0;
  const count = (): void => void (calls += 1);
  onAbort(controller.signal, count)();
  onAbort(controller.signal, count);
  const off = onAbort(controller.signal, count);
  off();
  off();
  controller.abort();
  expect(calls).toBe(1);
});

test("work is given up with the reason of the abort", async () => {
  const controller = new AbortController();
  const work = orAborted(controller.signal, new Promise(() => undefined));
  controller.abort(new Error("enough"));
  await expect(work).rejects.toThrow("enough");
  const { signal } = new AbortController();
  expect(await orAborted(signal, Promise.resolve(7))).toBe(7);
});
