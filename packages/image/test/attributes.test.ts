import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { archive, pax } from "./support/archive.js";
import { temporary } from "./support/place.js";

async function notesOf(...all: readonly (readonly [string, Readonly<Record<string, string>>])[]) {
  const file = join(temporary(), "image.tar");
  writeFileSync(
    file,
    archive(...all.flatMap(([path, records]) => [pax(records), { path, body: "x" }])),
  );
  return (await openImage(file)).notes;
}

describe("extended attributes", () => {
  it("are left out, which one note says for all of them", async () => {
    const notes = await notesOf(
      ["a", { "SCHILY.xattr.user.one": "1", "SCHILY.xattr.user.two": "2" }],
      ["b", { "LIBARCHIVE.xattr.user.one": "MQ==" }],
      ["c", { "SCHILY.acl.access": "user::rw-" }],
      ["d", { mtime: "1" }],
    );
    expect(notes).toEqual([
      'left out extended attributes and access control lists (of 3), such as those of "a"',
    ]);
  });

  it("that give a program powers are told apart", async () => {
    expect(await notesOf(["a", { "SCHILY.xattr.security.capability": "x" }])).toEqual([
      'left out capabilities of files (1), such as those of "a"',
    ]);
  });
});
