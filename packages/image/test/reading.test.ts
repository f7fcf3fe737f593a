import { spawnSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { archive, pax, type Raw, seal } from "./support/archive.js";
import { layout } from "./support/layout.js";
import { temporary } from "./support/place.js";
import { lacking, tool } from "./support/root.js";

const isRoot = process.getuid?.() === 0;
const dir = (path: string, mode = 0o755): Raw => ({ path, type: "5", mode });

/** Opens an archive, and lists what it has become: the usual mount points are left out. */
async function opened(bytes: Buffer): Promise<{ root: string; notes: string[]; names: string[] }> {
  const directory = temporary();
  const file = join(directory, "image.tar");
  writeFileSync(file, bytes);
  const { rootDirectory: root, notes } = await openImage(file);
  const names = readdirSync(root, { recursive: true, encoding: "latin1" }) as unknown as string[];
  return {
    root,
    notes: [...notes],
    names: names.filter((name) => !/^(dev|proc|tmp)$/.test(name)).sort(),
  };
}

/** One header of a field that is written as it is said. */
function header(fields: Readonly<Record<number, string>>): Buffer {
  const block = archive({ path: "a" }).subarray(0, 512);
  for (const [at, bytes] of Object.entries(fields)) block.write(bytes, Number(at), "latin1");
  return seal(block);
}

const NO_END = "the archive has no end mark, so it may have been cut off";
const READ: readonly (readonly [string, Buffer, readonly string[], readonly string[]])[] = [
  ["absolute names", archive(dir("/"), { path: "/a", body: "x" }, dir("//d/")), ["a", "d"], []],
  [
    "an absolute target of a hard link",
    archive({ path: "a", body: "x" }, { path: "b", type: "1", linkpath: "/a" }),
    ["a", "b"],
    [],
  ],
  [
    "an absolute name in a pax header",
    archive(pax({ path: "/etc/x" }), { path: "a" }),
    ["etc", "etc/x"],
    [],
  ],
  [
    "sizes of what has no body",
    archive(
      { path: "a", body: "x" },
      { path: "b", type: "1", linkpath: "a", size: 1 },
      { path: "c", type: "2", linkpath: "a", size: 600 },
      { path: "d", type: "5", size: 9 },
    ),
    ["a", "b", "c", "d"],
    [],
  ],
  [
    "a hard link to a device, and one to that",
    archive(
      { path: "null", type: "3" },
      { path: "n2", type: "1", linkpath: "null" },
      { path: "n3", type: "1", linkpath: "n2" },
      { path: "a" },
    ),
    ["a"],
    ['left out device nodes (3), such as "null"'],
  ],
  ["names that are not UTF-8", archive(header({ 0: "caf\xe9" })), ["caf\xe9"], []],
  [
    "an unknown type",
    archive({ path: "a", type: "Z", body: "x" }),
    ["a"],
    ['took entries of types that are not known (1) for files, such as "a"'],
  ],
  ["a directory as old archives have it", archive({ path: "d/", type: "\0" }), ["d"], []],
  [
    "a list of GNU tar's for incremental backups",
    archive({ path: "d/", type: "D", body: "Na\0\0" }, { path: "d/a" }),
    ["d", "d/a"],
    [],
  ],
  ["the name of a volume", archive({ path: "backup", type: "V" }, { path: "a" }), ["a"], []],
  ["no end mark", archive({ path: "a", body: "x" }).subarray(0, 1024), ["a"], [NO_END]],
  [
    "numbers without digits",
    archive(header({ 108: "\0".repeat(8), 116: " ".repeat(8) })),
    ["a"],
    [],
  ],
  ["a time before 1970", archive(header({ 136: `\xff${"\xff".repeat(11)}` })), ["a"], []],
  [
    "an owner that no user can have",
    archive(header({ 108: "\x80\0\0\0\xff\xff\xff\xff" })),
    ["a"],
    ['files of users that do not exist here (1), such as "a", belong to you'],
  ],
  [
    "two pax headers in a row, of which the second counts",
    archive(pax({ path: "one" }), pax({ mtime: "1.5" }), { path: "a" }),
    ["a"],
    [],
  ],
  ["a pax record that takes one back", archive(pax({ path: "" }), { path: "a" }), ["a"], []],
];

describe("an archive", () => {
  it.each(READ)("with %s is read as tar(1) reads it", async (_of, bytes, names, notes) => {
    const image = await opened(bytes);
    expect(image.names).toEqual([...names]);
    expect(image.notes).toEqual([...notes]);
  });

  it("with a symlink to a name that is not UTF-8 keeps its bytes", async () => {
    const { root } = await opened(archive(header({ 156: "2", 157: "\xff\xfe" })));
    expect(readlinkSync(join(root, "a"), "latin1")).toBe("\xff\xfe");
  });

  it("with an entry of its own for the root gives the root that mode", async () => {
    const { root } = await opened(archive(dir("./", 0o711), { path: "./a" }));
    expect(lstatSync(root).mode & 0o7777).toBe(0o711);
  });

  it.runIf(isRoot)("with an entry of its own for the root gives the root that owner", async () => {
    const { root } = await opened(archive({ ...dir("./"), uid: 7, gid: 8 }, { path: "a" }));
    expect([lstatSync(root).uid, lstatSync(root).gid]).toEqual([7, 8]);
  });

  it("keeps directories that nobody may write to, with what is in them", async () => {
    const { root } = await opened(
      archive(dir("ro", 0o555), dir("ro/in", 0o555), { path: "ro/in/a" }),
    );
    const modes = ["ro", "ro/in"].map((name) => lstatSync(join(root, name)).mode & 0o7777);
    expect(modes).toEqual(isRoot ? [0o555, 0o555] : [0o755, 0o755]);
    expect(readdirSync(join(root, "ro/in"))).toEqual(["a"]);
  });
});

const FORMS = [
  ["GNU tar's old form", ["--format=gnu"]],
  ["the form 0.0", ["--format=pax", "--sparse-version=0.0"]],
  ["the form 0.1", ["--format=pax", "--sparse-version=0.1"]],
  ["the form 1.0", ["--format=pax", "--sparse-version=1.0"]],
] as const;

describe("a file with holes", () => {
  const why = lacking("tar");
  it.skipIf(why !== "").each(FORMS)(`in %s is unpacked with its holes${why}`, async (_of, form) => {
    const from = temporary();
    mkdirSync(join(from, "root"));
    const original = join(from, "root/holes");
    writeFileSync(original, "start");
    // There are more parts than a header holds.
    for (let part = 1; part <= 30; part += 1) {
      truncateSync(original, part * 2 ** 20);
      writeFileSync(original, `part ${part}`, { flag: "a" });
    }
    truncateSync(original, 2 ** 32);
    tool("tar", "-C", join(from, "root"), "--sparse", ...form, "-cf", join(from, "x.tar"), ".");
    const { rootDirectory } = await openImage(join(from, "x.tar"));
    const copy = join(rootDirectory, "holes");
    expect(lstatSync(copy).size).toBe(2 ** 32);
    expect(lstatSync(copy).blocks * 512).toBeLessThan(2 ** 20);
    const start = (path: string): Buffer => readFileSync(path).subarray(0, 31 * 2 ** 20);
    truncateSync(original, 31 * 2 ** 20);
    truncateSync(copy, 31 * 2 ** 20);
    expect(start(copy).equals(start(original))).toBe(true);
  });

  it("may have parts of any size at any place", async () => {
    const map = "1,1,3,2,600,1,5000,3";
    const { root } = await opened(
      archive(pax({ "GNU.sparse.size": "6000", "GNU.sparse.map": map }), {
        path: "a",
        body: "abcdefg",
      }),
    );
    const expected = Buffer.alloc(6000);
    for (const [at, text] of [
      [1, "a"],
      [3, "bc"],
      [600, "d"],
      [5000, "efg"],
    ] as const)
      expected.write(text, at);
    expect(readFileSync(join(root, "a")).equals(expected)).toBe(true);
  });

  it("may consist of a hole", async () => {
    const { root } = await opened(
      archive(pax({ "GNU.sparse.realsize": "3221225472", "GNU.sparse.name": "b" }), { path: "a" }),
    );
    const { size, blocks } = lstatSync(join(root, "b"));
    expect([size, blocks]).toEqual([3_221_225_472, 0]);
  });
});

describe("a layer", () => {
  it("without a byte is a layer without files", async () => {
    const directory = temporary();
    const oci = layout(directory, [archive({ path: "a" }), Buffer.alloc(0)]);
    const { rootDirectory, notes } = await openImage(oci);
    expect(readdirSync(rootDirectory).sort()).toEqual(["a", "dev", "proc", "tmp"]);
    expect(notes).toEqual([]);
  });

  const hasZstd = lacking("zstd");
  it.skipIf(hasZstd !== "")(`may be zstd that begins with a frame to skip${hasZstd}`, async () => {
    const { root } = await skippable(archive({ path: "a", body: "x" }));
    expect(readFileSync(join(root, "a"), "utf8")).toBe("x");
  });
});

async function skippable(bytes: Buffer): Promise<{ root: string }> {
  const { stdout } = spawnSync("zstd", ["-qc"], { input: bytes });
  return opened(Buffer.concat([Buffer.from("\x5e\x2a\x4d\x18\x04\0\0\0abcd", "latin1"), stdout]));
}
