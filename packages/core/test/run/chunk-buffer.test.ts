import { expect, test } from "vitest";
import { chunkBuffer } from "../../src/run/chunk-buffer.js";

test("many small chunkBuffer become few, in order and byte for byte", () => {
  const kept = chunkBuffer();
  const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index % 251));
  for (let at = 0; at < bytes.length; at += 1) kept.add(bytes.subarray(at, at + 1));
  expect(kept.all().length).toBeLessThan(5);
  expect(Buffer.concat(kept.all()).equals(bytes)).toBe(true);
});

test("large ones between them keep their place, and are not copied", () => {
  const kept = chunkBuffer();
  const large = Buffer.alloc(5000, "L");
  for (const piece of [Buffer.from("a"), Buffer.from("b"), large, Buffer.from("c")])
    kept.add(piece);
  expect(kept.all()[1]).toBe(large);
  kept.add(Buffer.from("d"));
  expect(Buffer.concat(kept.all()).toString()).toBe(`ab${"L".repeat(5000)}cd`);
});
