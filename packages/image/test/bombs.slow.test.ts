import { appendFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { archiveHash, capturedFile } from "../src/unpack/read-archive.js";
import { totalsOf } from "../src/unpack/totals.js";
import { watchSize } from "../src/unpack/watch-size.js";
import { archive } from "./support/archive.js";
import { cached, rejection, temporary } from "./support/place.js";
import { lacking, tool } from "./support/root.js";

const MIB = 2 ** 20;
/** The most time of a test that writes half a gigabyte before the limit is reached, in milliseconds. */
const SLOW = 120_000;
const isRoot = process.getuid?.() === 0;

/** A gzip file that holds one file of zeros in an archive, 700 MiB of them. */
function bomb(): string {
  const file = join(temporary(), "bomb");
  const head = archive({ path: "a", size: 700 * MIB }).subarray(0, 512);
  const zeros = gzipSync(Buffer.alloc(100 * MIB), { level: 9 });
  writeFileSync(file, Buffer.concat([gzipSync(head), ...Array.from({ length: 7 }, () => zeros)]));
  return file;
}

describe("an image that unpacks to far more than it is", () => {
  for (const [what, tools, make] of [
    [
      "a squashfs",
      ["mksquashfs", "sqfs2tar"],
      (root: string, file: string) => tool("mksquashfs", root, file, "-quiet", "-no-progress"),
    ],
    [
      "an erofs",
      ["mkfs.erofs", "fsck.erofs"],
      (root: string, file: string) => tool("mkfs.erofs", "-zlz4", file, root),
    ],
  ] as const) {
    const lacks = lacking(...tools);
    it.skipIf(lacks !== "")(
      `is refused as ${what}${lacks}`,
      async () => {
        const directory = temporary();
        mkdirSync(join(directory, "root"));
        // No zeros: a hole costs nothing, however large.
        for (let written = 0; written < 700; written += 100)
          appendFileSync(join(directory, "root/large"), Buffer.alloc(100 * MIB, "a"));
        const file = join(directory, "image");
        make(join(directory, "root"), file);
        const { message } = await rejection(openImage(file));
        expect(message).toMatch(/more than (200 times its own size|\d+ bytes)/);
        expect([...cached("images"), ...cached("private")]).toEqual([]);
      },
      SLOW,
    );
  }

  it("is refused while its manifest is looked for", async () => {
    const { message } = await rejection(capturedFile(bomb(), "manifest", 100));
    expect(message).toMatch(/200 times/);
  });

  it("is refused while its ID is made", async () => {
    expect((await rejection(archiveHash(bomb()))).message).toMatch(/200 times/);
  });

  it("is refused by the size of the file, whatever that was made into on the way", () => {
    const totals = totalsOf();
    totals.addFileSize(MIB);
    totals.addRead(2 ** 30);
    expect(() => totals.addBytes(600 * MIB)).toThrow(/200 times/);
  });
});

describe("the watch over what a tool writes", () => {
  it("is not disturbed by what goes away", async () => {
    const directory = join(temporary(), "tree");
    mkdirSync(directory);
    const watch = watchSize(directory, MIB, () => undefined);
    rmSync(directory, { recursive: true });
    await setTimeout(300);
    expect(() => watch.stop()).not.toThrow();
  });

  it.skipIf(isRoot)("ends a tool that keeps it from looking", async () => {
    const directory = join(temporary(), "tree");
    mkdirSync(join(directory, "hidden"), { recursive: true });
    chmodSync(join(directory, "hidden"), 0);
    let stopped = 0;
    const watch = watchSize(directory, MIB, () => void (stopped += 1));
    await setTimeout(300);
    expect(() => watch.stop()).toThrow(/cannot be read/);
    expect(stopped).toBeGreaterThan(0);
  });
});
