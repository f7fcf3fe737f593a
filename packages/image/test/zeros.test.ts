import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOLE, partsOnly, zeroFinder } from "../src/unpack/zeros.js";

/** Cuts bytes into chunks of these sizes, again and again. */
function* chunksOf(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe("zeros of a file", () => {
  it("are found in whole windows, and what is left makes the file again", () => {
    const windows = fc.array(fc.boolean(), { maxLength: 5 });
    const sizes = fc.array(fc.integer({ min: 1000, max: 3 * HOLE }), {
      minLength: 1,
      maxLength: 4,
    });
    const tail = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(windows, sizes, tail, (full, cuts, rest) => {
        const file = Buffer.alloc(full.length * HOLE + rest);
        for (const [index, isFull] of full.entries()) if (isFull) file[index * HOLE + 5] = 1;
        const finder = zeroFinder();
        for (const chunk of chunksOf(file, cuts)) finder.take(chunk);
        const map = finder.map();
        expect(map === undefined).toBe(!full.includes(false));
        if (map === undefined) return;
        const kept: Buffer[] = [];
        const take = partsOnly(map.parts, (bytes) => void kept.push(bytes));
        for (const chunk of chunksOf(file, cuts)) take(chunk);
        const body = Buffer.concat(kept);
        expect(body.length).toBe(full.filter(Boolean).length * HOLE + rest);
        const again = Buffer.alloc(map.realSize);
        let at = 0;
        for (const [offset, length] of map.parts) {
          body.copy(again, offset, at, at + length);
          at += length;
        }
        expect(again.equals(file)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
