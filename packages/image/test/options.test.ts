import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectImages, openImage, removeImages } from "../src/index.js";
import { archive } from "./support/archive.js";
import { cached, rejection, temporary } from "./support/place.js";

/** A call with what TypeScript would not let through, and what is said of it. */
type Wrong = [given: string, call: () => unknown, message: string, hint?: string];

const refused = async (call: Wrong[1], message: string, hint?: string): Promise<void> => {
  const error = await rejection((async () => call())());
  expect([error.code, error.message, error.hint]).toEqual(["CONFIG_INVALID", message, hint]);
};

const COLLECT: Wrong[] = [
  [
    "a slip of the pen",
    () => collectImages({ dryrun: true } as never),
    "dryrun: unknown option",
    "Did you mean `dryRun`?",
  ],
  [
    "a word as dryRun",
    () => collectImages({ dryRun: "yes" } as never),
    'dryRun: "yes" is neither true nor false',
  ],
  [
    "a number as keepImages",
    () => collectImages({ keepImages: 1 } as never),
    "keepImages: 1 is neither true nor false",
  ],
  ["true", () => collectImages(true as never), "options: true is no object"],
  ["null", () => collectImages(null as never), "options: null is no object"],
  ["a number to remove", () => removeImages(3 as never), "word: 3 is no text"],
  ["nothing to remove", () => removeImages(undefined as never), "word: undefined is no text"],
];

describe("what is removed from the cache", () => {
  it.each(COLLECT)("is nothing when it is given %s", async (_given, call, message, hint) => {
    const file = join(temporary(), "image.tar");
    writeFileSync(file, archive({ path: "a", body: "x" }));
    await openImage(file);
    await refused(call, message, hint);
    expect(cached("images").length).toBe(1);
  });
});
