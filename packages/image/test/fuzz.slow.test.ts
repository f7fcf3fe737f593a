import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSandboxError } from "@sandboxlib/core";
import { removeTree } from "@sandboxlib/core/internal";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseImageConfig, parseManifest, parseSaved } from "../src/oci/json.js";
import { sanitizerFor } from "../src/unpack/sanitizer.js";
import { totalsOf } from "../src/unpack/totals.js";
import { archive, long, pax, type Raw, seal } from "./support/archive.js";
import { listing, temporary } from "./support/place.js";

const SEEDED = { numRuns: 2000, seed: 20_261_124 };

const name = fc.oneof(
  fc.constantFrom(
    "a",
    "a/b",
    "../x",
    "/etc/x",
    "./a",
    "a//b",
    "a/../b",
    ".wh.a",
    "a/.wh..wh..opq",
    "rootfs/a",
    "manifest",
    "\u00ff",
  ),
  fc.string({ maxLength: 120 }),
);
const entry: fc.Arbitrary<Raw> = fc.record({
  path: name,
  type: fc.constantFrom("0", "1", "2", "3", "4", "5", "6", "7", "x", "g", "L", "K", "S", "Z"),
  linkpath: fc.oneof(fc.constantFrom("", "a", "../x", "/etc"), fc.string({ maxLength: 99 })),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 0o7777777 }),
  body: fc.oneof(fc.string({ maxLength: 1200 }), fc.constant("11 path=ab\n")),
});
const target = fc.oneof(name, fc.constantFrom("d/".repeat(120), "é".repeat(99)));
/** A file with holes in one of GNU tar's newer forms, whose map may be right. */
const holes = fc
  .record({
    parts: fc.array(fc.tuple(fc.nat(700), fc.nat(700)), { maxLength: 30 }),
    more: fc.integer({ min: -2, max: 600 }),
    isInBody: fc.boolean(),
    path: name,
  })
  .map(({ parts, more, isInBody, path }) => {
    let end = 0;
    const map = parts.flatMap(([gap, size]) => {
      const offset = end + gap;
      end = offset + size;
      return [offset, size];
    });
    const size = parts.reduce((sum, [, length]) => sum + length, 0);
    const text = `${[parts.length, ...map].join("\n")}\n`;
    const head = text.padEnd(Math.ceil(text.length / 512) * 512, "\0");
    const records = isInBody
      ? { "GNU.sparse.major": "1", "GNU.sparse.minor": "0" }
      : { "GNU.sparse.map": map.join(",") };
    return Buffer.concat([
      pax({ ...records, "GNU.sparse.name": path, "GNU.sparse.realsize": String(end + more) }),
      archive({ path: "x", body: (isInBody ? head : "") + "y".repeat(size) }).subarray(0, -1024),
    ]);
  });
const part = fc.oneof(
  entry,
  holes,
  fc
    .record({ path: name, size: fc.constantFrom("0", "99", "-1", "x") })
    .map((records) => pax(records)),
  fc.record({ path: target, linkpath: target }, { requiredKeys: [] }).map((each) => pax(each)),
  fc.tuple(fc.constantFrom("L", "K"), target).map(([type, text]) => long(type, text)),
);
/** Changes some bytes of an archive, and corrects the checksums of its headers or not. */
const change = fc.record({
  at: fc.nat(),
  to: fc.integer({ min: 0, max: 255 }),
  mend: fc.boolean(),
});

const mutated = fc
  .tuple(fc.array(part, { maxLength: 6 }), fc.array(change, { maxLength: 8 }), fc.nat())
  .map(([parts, changes, cut]) => {
    const bytes = archive(...parts);
    for (const { at, to, mend } of changes) {
      const place = at % bytes.length;
      bytes[place] = to;
      const block = place - (place % 512);
      if (mend) seal(bytes.subarray(block, block + 512));
    }
    return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
  });

/** What the sanitizer writes when it gets an archive in chunks of a size. */
function sanitized(bytes: Buffer, chunk: number): Buffer | string {
  const written: Buffer[] = [];
  const rules = { whiteouts: true, privileged: true };
  const sanitizer = sanitizerFor(
    rules,
    totalsOf(),
    (bytes) => void written.push(Buffer.from(bytes)),
  );
  try {
    for (let at = 0; at < bytes.length; at += chunk)
      sanitizer.write(bytes.subarray(at, at + chunk));
    sanitizer.end();
  } catch (error) {
    if (!isSandboxError(error) || error.code !== "IMAGE_INVALID") throw error;
    expect(Buffer.from(error.message).every((byte) => byte >= 0x20)).toBe(true);
    return error.message;
  }
  return Buffer.concat(written);
}

describe("the reader of layers", () => {
  it("takes or refuses whatever it is given, and the same however it is cut", () => {
    fc.assert(
      fc.property(mutated, fc.integer({ min: 1, max: 1500 }), (bytes, chunk) => {
        expect(sanitized(bytes, chunk)).toEqual(sanitized(bytes, Math.max(1, bytes.length)));
      }),
      SEEDED,
    );
  });

  it("writes only what it would take again, unchanged", () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        const once = sanitized(bytes, 4096);
        if (typeof once === "string") return;
        expect(sanitized(once, 4096)).toEqual(once);
      }),
      SEEDED,
    );
  });

  it("writes only names that tar(1) reads as names below a directory", () => {
    const all = fc.sample(mutated, { numRuns: 300, seed: SEEDED.seed });
    const taken = all
      .map((bytes) => sanitized(bytes, 4096))
      .filter((each) => typeof each !== "string");
    expect(taken.length).toBeGreaterThan(20);
    for (const bytes of taken) {
      const { stdout } = spawnSync("tar", ["-tPf", "-", "--quoting-style=escape"], {
        input: bytes,
        encoding: "utf8",
      });
      const names = stdout;
      for (const each of names.split("\n")) expect(each).not.toMatch(/^\/|(^|\/)\.\.(\/|$)/);
    }
  });
});

const top = fc.constantFrom("a", "b", "c");
const symlink = { type: fc.constant("2"), linkpath: fc.constantFrom("../outside", "OUTSIDE") };
/** Many entries with few names, so that they replace each other. Symlinks lead out. */
const tangled = fc.array(
  fc.oneof(
    fc.record({ path: top, ...symlink }),
    fc.record({ path: top, type: fc.constant("1"), linkpath: top }),
    fc.record({ path: top, type: fc.constantFrom("0", "5", "6"), mode: fc.constant(0o755) }),
    fc.record({ path: fc.constantFrom("a/x", "b/x", "c/x"), type: fc.constantFrom("0", "5") }),
  ),
  { minLength: 3, maxLength: 8, size: "max" },
);

describe("the reader of layers, whose output tar(1) unpacks without a wall", () => {
  it("touches nothing outside, whatever lies on top of what", () => {
    const directory = temporary();
    const outside = join(directory, "outside");
    let taken = 0;
    fc.assert(
      fc.property(tangled, (entries) => {
        removeTree(outside);
        mkdirSync(outside);
        writeFileSync(join(outside, "x"), "x");
        const before = listing(outside);
        const led = entries.map((each: Raw) =>
          each.linkpath === "OUTSIDE" ? { ...each, linkpath: outside } : each,
        );
        // tar(1) also unpacks what was written before the sanitizer refused an entry.
        const written: Buffer[] = [];
        const rules = { whiteouts: false, privileged: true };
        const sanitizer = sanitizerFor(
          rules,
          totalsOf(),
          (bytes) => void written.push(Buffer.from(bytes)),
        );
        try {
          sanitizer.write(archive(...led));
          taken += 1;
        } catch (error) {
          if (!isSandboxError(error)) throw error;
        }
        const to = join(directory, "to");
        mkdirSync(to);
        const input = Buffer.concat([...written, Buffer.alloc(1024)]);
        spawnSync("tar", ["-x", "-p", "-P", "--no-same-owner", "-f", "-", "-C", to], { input });
        removeTree(to);
        expect(listing(outside)).toEqual(before);
      }),
      { ...SEEDED, numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

const json = fc
  .oneof(
    fc.json(),
    fc.json().map((text) => `{"manifests":[${text}],"layers":${text},"config":${text}}`),
    fc.string(),
  )
  .map((text) => Buffer.from(text));

describe("the readers of manifests", () => {
  it.each([
    ["an index or a manifest", (bytes: Buffer) => parseManifest(bytes, "it")],
    ["a configuration", parseImageConfig],
    ["docker's manifest.json", parseSaved],
  ])("take or refuse whatever they are given as %s", (_title, parse) => {
    fc.assert(
      fc.property(json, (bytes) => {
        try {
          parse(bytes);
        } catch (error) {
          if (!isSandboxError(error) || error.code !== "IMAGE_INVALID") throw error;
        }
      }),
      SEEDED,
    );
  });

  it("take a manifest that is as it should be", () => {
    const digest = `sha256:${createHash("sha256").digest("hex")}`;
    const layer = { mediaType: "x", digest, size: 1 };
    const manifest = { schemaVersion: 2, config: layer, layers: [layer] };
    expect(parseManifest(Buffer.from(JSON.stringify(manifest)), "it").layers).toEqual([layer]);
  });
});
