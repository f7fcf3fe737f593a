import { linkSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { entriesOf } from "../src/unpack/entries.js";
import type { Header } from "../src/unpack/header.js";
import { nameOf } from "../src/unpack/names.js";
import { archive, long, pax, type Raw, seal } from "./support/archive.js";
import { temporary } from "./support/place.js";
import { tool } from "./support/root.js";

/** The names and targets of the entries of an archive. */
function names(bytes: Buffer): (readonly [string | undefined, string | undefined])[] {
  const found: (readonly [string | undefined, string | undefined])[] = [];
  const blocks = entriesOf({
    entry({ path, linkpath }: Header) {
      found.push([path, linkpath]);
      return undefined;
    },
    entryEnd: () => undefined,
  });
  blocks.write(bytes);
  return found;
}

const LONG = `${"d/".repeat(80)}target`;
const link = (linkpath: string): Raw => ({ path: "a", type: "2", linkpath });

describe("the entries of an archive", () => {
  it("have the target that a pax header says", () => {
    expect(names(archive(pax({ linkpath: LONG }), link("d/d")))).toEqual([["a", LONG]]);
    expect(names(archive(pax({ linkpath: "é" }), link("e")))).toEqual([["a", nameOf("é")]]);
  });

  it("have the target that GNU's long link says", () => {
    expect(names(archive(long("K", LONG), link("d/d")))).toEqual([["a", LONG]]);
  });

  it("have the name that a pax header says, whatever prefix is in their own", () => {
    expect(names(archive(pax({ path: "new" }), prefixed("old", "name")))).toEqual([["new", ""]]);
    expect(names(archive(long("L", "new"), prefixed("old", "name")))).toEqual([["new", ""]]);
    expect(names(archive(prefixed("old", "name")))).toEqual([["old/name", ""]]);
  });

  it("are extended by what comes right before them only", () => {
    const bytes = archive(pax({ path: "new", linkpath: LONG }), link("x"), link("y"));
    expect(names(bytes)).toEqual([
      ["new", LONG],
      ["a", "y"],
    ]);
  });

  it.each(["gnu", "pax"])(
    "keep names and targets of any length in the form of %s",
    async (form) => {
      const directory = temporary();
      const deep = `${"long-directory-é/".repeat(12)}file`;
      const root = join(directory, "root");
      mkdirSync(join(root, deep, ".."), { recursive: true });
      writeFileSync(join(root, deep), "x");
      symlinkSync(deep, join(root, "soft"));
      linkSync(join(root, deep), join(root, "zzz-hard"));
      const file = join(directory, "image.tar");
      tool("tar", "-c", `--format=${form}`, "--sort=name", "-C", root, "-f", file, ".");
      const { rootDirectory } = await openImage(file);
      expect(readlinkSync(join(rootDirectory, "soft"))).toBe(deep);
      const inodes = [deep, "zzz-hard"].map((name) => lstatSync(join(rootDirectory, name)).ino);
      expect(inodes[0]).toBe(inodes[1]);
    },
  );
});

function prefixed(prefix: string, name: string): Buffer {
  const block = archive({ path: name }).subarray(0, 512);
  block.write(prefix, 345, "latin1");
  return seal(block);
}
