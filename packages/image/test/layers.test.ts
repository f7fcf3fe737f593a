import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { archive, type Raw } from "./support/archive.js";
import { layout, type Wrong } from "./support/layout.js";
import { cached, listing, rejection, temporary } from "./support/place.js";

const isRoot = process.getuid?.() === 0;
const dir = (path: string, mode = 0o755): Raw => ({ path, type: "5", mode });
const hard = (path: string, linkpath: string): Raw => ({ path, type: "1", linkpath });
const link = (path: string, linkpath: string): Raw => ({ path, type: "2", linkpath });
const file = (path: string, body = "x"): Raw => ({ path, body });

async function merged(...layers: readonly (readonly Raw[])[]): Promise<string> {
  const image = await openImage(
    layout(
      temporary(),
      layers.map((entries) => archive(...entries)),
    ),
  );
  return image.rootDirectory;
}

const own = (root: string, path = ""): string[] =>
  readdirSync(join(root, path))
    .filter((name) => !/^(dev|proc|tmp)$/.test(name))
    .sort();

describe("layers", () => {
  it("lie over each other", async () => {
    const root = await merged(
      [dir("d"), file("d/a", "1"), file("b", "1")],
      [file("d/c", "2"), file("b", "2")],
    );
    expect([own(root), own(root, "d"), readFileSync(join(root, "b"), "utf8")]).toEqual([
      ["b", "d"],
      ["a", "c"],
      "2",
    ]);
  });

  it("take away what lower ones hold, and nothing of their own", async () => {
    const root = await merged(
      [dir("d"), file("d/a"), file("d/b"), file("e")],
      [dir("d"), file("d/.wh.a"), file("d/a"), file("d/.wh.b"), file(".wh.e")],
    );
    expect([own(root), own(root, "d")]).toEqual([["d"], ["a"]]);
  });

  it("make a directory opaque wherever they say so", async () => {
    for (const second of [
      [dir("d"), file("d/new"), file("d/.wh..wh..opq")],
      [dir("d"), file("d/.wh..wh..opq"), file("d/new")],
    ])
      expect(own(await merged([dir("d"), file("d/old")], second), "d")).toEqual(["new"]);
  });

  it("put a directory where a file or a symlink was, and the other way round", async () => {
    const root = await merged(
      [file("a"), dir("b"), file("b/x"), link("c", "b")],
      [dir("a"), file("a/x"), file("b"), dir("c"), file("c/y")],
    );
    expect([own(root, "a"), readFileSync(join(root, "b"), "utf8"), own(root, "c")]).toEqual([
      ["x"],
      "x",
      ["y"],
    ]);
  });

  it.each([
    [
      "a file through a symlink of a lower layer",
      [link("a", "../../../outside")],
      [file("a/new")],
      /below "a", which a lower one makes a symlink/,
    ],
    ["a file through an absolute one", [link("a", "/tmp")], [file("a/b/new")], /below "a"/],
    [
      "a hard link to a file of a lower layer through a symlink",
      [link("a", "/etc")],
      [{ path: "b", type: "1", linkpath: "a/passwd" }],
      /"b": links to "a\/passwd", which is not there/,
    ],
    [
      "a hard link to nothing",
      [file("a")],
      [hard("b", "c")],
      /"b": links to "c", which is not there/,
    ],
    [
      "a hard link to a directory of a lower layer",
      [dir("a")],
      [hard("b", "a")],
      /"b": links to "a", which is a directory/,
    ],
    [
      "a file below a hard link to a symlink of a lower layer",
      [link("a", "../../../outside")],
      [hard("b", "a"), file("b/new")],
      /"b": is a directory and a hard link/,
    ],
    [
      "a hard link below a hard link to a symlink of a lower layer",
      [link("a", "../../../outside"), file("c")],
      [hard("b", "a"), hard("b/new", "c")],
      /"b\/new": lies below "b", which is no directory/,
    ],
    ["a whiteout of nothing", [], [file(".wh.")], /takes away nothing/],
    ["a whiteout of .", [], [file("d/.wh..")], /takes away nothing/],
    ["a whiteout of ..", [], [file("d/.wh...")], /takes away nothing/],
    ["a whiteout that leads out", [], [file("../outside/.wh.secret")], /leads out/],
  ] as const)("with %s are refused", async (_title, first, second, why) => {
    const directory = temporary();
    mkdirSync(join(directory, "outside"));
    writeFileSync(join(directory, "outside/secret"), "secret");
    const oci = layout(directory, [archive(...first), archive(...second)]);
    const before = listing(directory);
    const error = await rejection(openImage(oci));
    expect([error.code, error.message]).toEqual(["IMAGE_INVALID", expect.stringMatching(why)]);
    expect(listing(directory)).toEqual(before);
    expect([...cached("images"), ...cached("private")]).toEqual([]);
  });

  it("have hard links to files of lower ones", async () => {
    const root = await merged(
      [dir("d"), file("d/a", "1"), file("gone", "2")],
      [hard("e/b", "d/a"), hard("c", "e/b"), file(".wh.gone"), hard("kept", "gone")],
      [hard("f", "c"), file("d/a", "new")],
    );
    const inodes = ["e/b", "c", "f"].map((path) => lstatSync(join(root, path)).ino);
    expect(new Set(inodes).size).toBe(1);
    const bodies = ["d/a", "f", "kept"].map((path) => readFileSync(join(root, path), "utf8"));
    expect(bodies).toEqual(["new", "1", "2"]);
    expect(own(root)).toEqual(["c", "d", "e", "f", "kept"]);
  });

  it("have hard links to their own files before those of lower ones", async () => {
    const root = await merged(
      [file("a", "lower"), file("b", "lower")],
      [file("a", "own"), hard("c", "a"), hard("b", "a"), file("b", "last")],
    );
    const bodies = ["c", "b"].map((path) => readFileSync(join(root, path), "utf8"));
    expect(bodies).toEqual(["own", "last"]);
  });

  it("leave out a hard link to a device that a lower one has lost", async () => {
    const { rootDirectory, notes } = await openImage(
      layout(temporary(), [
        archive({ path: "null", type: "3" }),
        archive(hard("n", "null"), file("a")),
      ]),
    );
    expect(own(rootDirectory)).toEqual(["a"]);
    expect(notes).toEqual(['left out device nodes (2), such as "null"']);
  });

  it("fill directories to which nobody may write, and the last one says of their modes", async () => {
    const root = await merged(
      [dir("ro", 0o555), file("ro/a"), dir("wo", 0o555), dir("re", 0o555), file("re/x")],
      [file("ro/b"), dir("wo", 0o755), file(".wh.re"), file("re/y")],
    );
    const modes = ["ro", "wo", "re"].map((path) => lstatSync(join(root, path)).mode & 0o777);
    expect(modes).toEqual([isRoot ? 0o555 : 0o755, 0o755, 0o755]);
    expect([own(root, "ro"), own(root, "re")]).toEqual([["a", "b"], ["y"]]);
  });

  it("have the root of the last one that has it", async () => {
    const root = await merged([dir("./", 0o700)], [dir(".", 0o751)], [file("a")]);
    expect(lstatSync(root).mode & 0o777).toBe(0o751);
  });

  it("with a whiteout below a symlink take away nothing", async () => {
    const directory = temporary();
    mkdirSync(join(directory, "outside"));
    writeFileSync(join(directory, "outside/secret"), "secret");
    const oci = layout(directory, [
      archive(link("a", join(directory, "outside"))),
      archive(file("a/.wh.secret"), file("a/.wh..wh..opq")),
    ]);
    await openImage(oci).catch(() => undefined);
    expect(readdirSync(join(directory, "outside"))).toEqual(["secret"]);
  });
});

const zeros = `sha256:${"0".repeat(64)}`;
const WRONG: readonly (readonly [string, Wrong, RegExp])[] = [
  [
    "the digest of a layer",
    { layer: (layer) => ({ ...layer, digest: zeros }) },
    /lacks the blob sha256:0000/,
  ],
  [
    "the size of a layer",
    { layer: (layer) => ({ ...layer, size: 1 }) },
    /holds \d+ bytes, and not 1/,
  ],
  [
    "a digest that leads out",
    { layer: (layer) => ({ ...layer, digest: "sha256:../../../x" }) },
    /"layers\.0\.digest"/,
  ],
  [
    "an unknown kind of digest",
    { layer: (layer) => ({ ...layer, digest: `md5:${"0".repeat(32)}` }) },
    /"layers\.0\.digest"/,
  ],
  [
    "the digest of a layer's archive",
    { config: (config) => ({ ...config, rootfs: { diff_ids: [zeros] } }) },
    /the archive of a layer has not the digest/,
  ],
  [
    "too few layers in the configuration",
    { config: (config) => ({ ...config, rootfs: { diff_ids: [] } }) },
    /names 1 layers, and the configuration 0/,
  ],
  ["no configuration", { manifest: () => ({ layers: [] }) }, /names no configuration/],
  [
    "a working directory that cannot be",
    { config: (config) => ({ ...config, config: { WorkingDir: `/${"n".repeat(256)}` } }) },
    /"\/nnn.*" cannot be made in it: ENAMETOOLONG/,
  ],
  [
    "a configuration of another kind",
    {
      manifest: (manifest) => ({
        ...manifest,
        config: { ...(manifest as { config: object }).config, mediaType: "application/x.chart" },
      }),
    },
    /holds no image, but something of the type "application\/x\.chart"/,
  ],
  ["no image at all", { index: () => ({ manifests: [] }) }, /names no image/],
  [
    "an image for another platform",
    {
      index: (_, image) => ({
        manifests: [{ ...image, platform: { os: "plan9", architecture: "mips" } }],
      }),
    },
    /holds no image for linux\//,
  ],
  ["an index of the wrong type", { index: () => [1] }, /index\.json/],
];

describe("a layout", () => {
  it.each(WRONG)("with %s is refused", async (_title, wrong, why) => {
    const error = await rejection(openImage(layout(temporary(), [archive(file("a"))], wrong)));
    expect([error.code, error.message]).toEqual(["IMAGE_INVALID", expect.stringMatching(why)]);
    expect([...cached("images"), ...cached("private")]).toEqual([]);
  });

  it("of another version is refused, and so is one that names none", async () => {
    const directory = layout(temporary(), [archive(file("a"))]);
    for (const [text, why] of [
      ['{"imageLayoutVersion":"2.0.0"}', /names the version "2\.0\.0", and 1\.0\.0 is/],
      ["", /oci-layout is no JSON/],
      ["{}", /oci-layout: "imageLayoutVersion" is not/],
    ] as const) {
      writeFileSync(join(directory, "oci-layout"), text);
      expect((await rejection(openImage(directory))).message).toMatch(why);
    }
  });

  it("whose blob was changed is refused", async () => {
    const directory = layout(temporary(), [archive(file("a"))]);
    const blobs = join(directory, "blobs/sha256");
    for (const name of readdirSync(blobs)) {
      const bytes = readFileSync(join(blobs, name));
      if (bytes[0] !== 0x1f) continue;
      const other = gzipSync(archive(file("b")));
      writeFileSync(
        join(blobs, name),
        Buffer.concat([other, Buffer.alloc(100)]).subarray(0, bytes.length),
      );
    }
    expect((await rejection(openImage(directory))).message).toMatch(
      /has not the digest|gzip|holds/,
    );
  });

  it("is not taken for another format of the same digest", async () => {
    const directory = temporary();
    const [inOci, inDocker] = [archive(file("a", "oci")), archive(file("a", "docker"))];
    const diff = createHash("sha256").update(inDocker).digest("hex");
    const oci = layout(directory, [inOci], {
      manifest: (manifest) => ({ ...manifest, rootfs: { diff_ids: [`sha256:${diff}`] } }),
    });
    const { manifests } = JSON.parse(readFileSync(join(oci, "index.json"), "utf8"));
    const hex = String(manifests[0].digest).slice("sha256:".length);
    const saved = join(directory, "docker.tar");
    const list = [{ Config: `${hex}.json`, Layers: [`${diff}.tar`], RepoTags: null }];
    writeFileSync(
      saved,
      archive(
        file(`${hex}.json`, readFileSync(join(oci, "blobs/sha256", hex), "utf8")),
        { path: `${diff}.tar`, body: inDocker },
        file("manifest.json", JSON.stringify(list)),
      ),
    );
    const images = [await openImage(oci), await openImage(saved)];
    expect(images.map(({ format, digest }) => [format, digest])).toEqual([
      ["oci", `sha256:${hex}`],
      ["docker", `sha256:${hex}`],
    ]);
    const bodies = images.map(({ rootDirectory }) =>
      readFileSync(join(rootDirectory, "a"), "utf8"),
    );
    expect(bodies).toEqual(["oci", "docker"]);
  });

  it("with a manifest of 1 GB is refused without reading it", async () => {
    const directory = layout(temporary(), [archive(file("a"))]);
    writeFileSync(join(directory, "index.json"), "");
    const { truncateSync } = await import("node:fs");
    truncateSync(join(directory, "index.json"), 2 ** 30);
    const error = await rejection(openImage(directory));
    expect(error.message).toMatch(/holds 1073741824 bytes, and 4194304 is the most/);
  });

  it("is taken for the platform that is asked for, through nested indexes", async () => {
    const directory = layout(temporary(), [archive(file("a"))], {
      index: (_, image) => ({
        manifests: [
          { ...image, digest: zeros, platform: { os: "linux", architecture: "s390x" } },
          { ...image, platform: { os: "linux", architecture: "arm", variant: "v7" } },
        ],
      }),
    });
    const image = await openImage(directory, { platform: "linux/arm/v7" });
    expect(own(image.rootDirectory)).toEqual(["a"]);
  });
});
