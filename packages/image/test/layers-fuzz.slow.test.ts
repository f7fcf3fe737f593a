import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSandboxError } from "@sandboxlib/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { archive } from "./support/archive.js";
import { layout } from "./support/layout.js";
import { listing, temporary } from "./support/place.js";

const name = fc.constantFrom("a", "b", "a/x", "b/x", "a/x/y", "/a", "./b");
const file = fc.record({ path: name, type: fc.constantFrom("0", "5", "3"), body: fc.constant("") });
const link = fc.record({ path: name, type: fc.constant("1"), linkpath: name });
const symlink = fc.record({
  path: name,
  type: fc.constant("2"),
  linkpath: fc.constantFrom("OUTSIDE", "../outside", "a", "/"),
});
const whiteout = fc.record({
  path: fc.constantFrom(".wh.a", "a/.wh.x", "a/.wh..wh..opq", ".wh..wh..opq", "b/.wh.secret"),
  type: fc.constant("0"),
});
const layer = fc.array(fc.oneof(file, file, link, symlink, whiteout), {
  minLength: 1,
  maxLength: 3,
});

/** The inodes of everything below a directory. No symlink is followed. */
function inodes(directory: string): number[] {
  return readdirSync(directory).flatMap((each) => {
    const path = join(directory, each);
    const stat = lstatSync(path);
    return [stat.ino, ...(stat.isDirectory() ? inodes(path) : [])];
  });
}

describe("layers that are tangled", () => {
  it("touch nothing outside, and link to nothing there", async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { minLength: 2, maxLength: 3 }), async (layers) => {
        const directory = temporary();
        const outside = join(directory, "outside");
        mkdirSync(outside);
        for (const each of ["x", "secret"]) writeFileSync(join(outside, each), "secret");
        const archives = layers.map((entries) =>
          archive(
            ...entries.map((entry) =>
              "linkpath" in entry && entry.linkpath === "OUTSIDE"
                ? { ...entry, linkpath: outside }
                : entry,
            ),
          ),
        );
        const oci = layout(directory, archives);
        const before = listing(outside);
        try {
          const { rootDirectory } = await openImage(oci);
          taken += 1;
          const theirs = new Set(inodes(outside));
          expect(inodes(rootDirectory).filter((inode) => theirs.has(inode))).toEqual([]);
        } catch (error) {
          if (!isSandboxError(error) || error.code !== "IMAGE_INVALID") throw error;
        }
        expect(listing(outside)).toEqual(before);
      }),
      { numRuns: 150, seed: 20_261_129 },
    );
    expect(taken).toBeGreaterThan(20);
  }, 300_000);
});
