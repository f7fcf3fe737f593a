import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { archive, type Raw } from "./support/archive.js";
import { layout } from "./support/layout.js";
import { rejection, temporary } from "./support/place.js";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const ROOT = archive({ path: "a", body: "x" });
const LAYER = gzipSync(ROOT);
const CONFIG = Buffer.from(
  JSON.stringify({
    os: "linux",
    rootfs: { diff_ids: [`sha256:${sha256(ROOT)}`] },
    config: { Cmd: ["c"] },
  }),
);
const dir = (path: string): Raw => ({ path, type: "5", mode: 0o755 });

/** What a tool saves for docker, with its own names of files. */
function saved(config: string, layer: string, more: readonly Raw[] = []): Buffer {
  const list = [{ Config: config, RepoTags: ["x:1"], Layers: [layer] }];
  return archive(
    ...more,
    { path: config, body: CONFIG },
    { path: layer, body: LAYER },
    { path: "manifest.json", body: JSON.stringify(list) },
  );
}

async function opened(bytes: Buffer): Promise<{ format: string; names: string[] }> {
  const file = join(temporary(), "image");
  writeFileSync(file, bytes);
  const { format, rootDirectory } = await openImage(file);
  const names = readdirSync(rootDirectory).filter((name) => !/^(dev|proc|tmp)$/.test(name));
  return { format, names: names.sort() };
}

/** An archive of a directory, with the entries that tar(1) makes. */
function packed(directory: string): Buffer {
  return spawnSync("tar", ["-C", directory, "-cf", "-", "."], { maxBuffer: 2 ** 26 }).stdout;
}

const HEX = sha256(LAYER);
const DOCKER: readonly (readonly [string, Buffer])[] = [
  ["as jib names them", saved("config.json", `${HEX}.tar.gz`)],
  ["as go-containerregistry names them", saved(`sha256:${sha256(CONFIG)}`, `${HEX}.tar.gz`)],
  ["in blobs", saved(`blobs/sha256/${sha256(CONFIG)}`, `blobs/sha256/${HEX}`, [dir("blobs")])],
  ["with absolute names", saved(`/${sha256(CONFIG)}.json`, `/${HEX}.tar`)],
  ["with names that begin with a dot", saved("./config.json", `./${HEX}/layer.tar`, [dir("./")])],
  ["in a directory", saved("config.json", "l/layer.tar")],
  ["each in a directory", saved("c/config.json", "./l/layer.tar", [dir("c"), dir("./l")])],
  ["as a root has them", saved("etc/config", "usr/lib/layer", [dir("etc"), dir("usr/lib")])],
  ["in a directory, under gzip", gzipSync(saved("config.json", "l/layer.tar", [dir("l")]))],
  ["under gzip", gzipSync(saved("config.json", "layer.tar.gz"))],
];

describe("what docker loads", () => {
  it.each(DOCKER)(
    "is known by its manifest.json, whatever its files are called: %s",
    async (_of, bytes) => {
      expect(await opened(bytes)).toEqual({ format: "docker", names: ["a"] });
    },
  );

  it("may have no layer at all", async () => {
    const config = JSON.stringify({ os: "linux", rootfs: { diff_ids: null } });
    const list = JSON.stringify([{ Config: "c", RepoTags: null, Layers: null }]);
    const bytes = archive({ path: "c", body: config }, { path: "manifest.json", body: list });
    expect(await opened(bytes)).toEqual({ format: "docker", names: [] });
  });

  it("is read by its manifest.json where Docker 25 has left the index empty", async () => {
    const empty = { schemaVersion: 2, manifests: null };
    const bytes = saved("config.json", `blobs/sha256/${HEX}`, [
      { path: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' },
      { path: "index.json", body: JSON.stringify(empty) },
    ]);
    expect((await opened(bytes)).names).toEqual(["a"]);
  });
});

const ROOTS: readonly (readonly [string, Buffer, readonly string[]])[] = [
  [
    "a directory blobs",
    archive(dir("blobs"), { path: "blobs/x" }, dir("bin"), { path: "bin/y" }),
    ["bin", "blobs"],
  ],
  ["nothing but a directory blobs", archive(dir("blobs"), { path: "blobs/x" }), ["blobs"]],
  [
    "a manifest.json of its own",
    archive({ path: "manifest.json", body: '{"name":"app"}' }, { path: "b" }),
    ["b", "manifest.json"],
  ],
  [
    "a manifest.json of another tool behind its directories",
    archive(dir("bin"), { path: "bin/y" }, { path: "manifest.json", body: '[{"name":"app"}]' }),
    ["bin", "manifest.json"],
  ],
  [
    "an oci-layout behind its directories",
    archive(dir("bin"), { path: "bin/y" }, { path: "oci-layout" }),
    ["bin", "oci-layout"],
  ],
  ["a name of 64 digits", archive({ path: HEX }), [HEX]],
];

describe("a plain root", () => {
  it.each(ROOTS)("with %s is a root", async (_of, bytes, names) => {
    expect(await opened(bytes)).toEqual({ format: "tar", names: [...names] });
  });
});

describe("an archive of a layout", () => {
  it("is known by its oci-layout, also behind large blobs", async () => {
    const directory = temporary();
    const large = archive({ path: "large", body: Buffer.alloc(6 * 2 ** 20, "ab") });
    const bytes = packed(layout(directory, [large]));
    expect(await opened(bytes)).toEqual({ format: "oci", names: ["large"] });
    expect(await opened(gzipSync(bytes))).toEqual({ format: "oci", names: ["large"] });
  });

  it("may have the directory in which containerd keeps what it fetches", async () => {
    const oci = layout(temporary(), [ROOT]);
    mkdirSync(join(oci, "ingest"));
    expect((await opened(packed(oci))).format).toBe("oci");
    expect(readFileSync(join(oci, "oci-layout"), "utf8")).toContain("1.0.0");
  });
});

describe("what is no image", () => {
  it.each([
    ["FIFO", "a FIFO"],
    ["device", "a device"],
  ])("is named and not waited for: a %s", async (kind, what) => {
    const directory = temporary();
    const path = kind === "FIFO" ? join(directory, "fifo") : "/dev/null";
    if (kind === "FIFO") spawnSync("mkfifo", [path]);
    const { code, message } = await rejection(openImage(path));
    expect([code, message]).toEqual([
      "IMAGE_INVALID",
      `${JSON.stringify(path)} is ${what}, and an image is a file or a directory`,
    ]);
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(isRoot)("is named where it cannot be read", async () => {
    const file = join(temporary(), "image");
    writeFileSync(file, ROOT, { mode: 0 });
    const { code, message } = await rejection(openImage(file));
    expect([code, message]).toEqual([
      "IMAGE_INVALID",
      `${JSON.stringify(file)} cannot be opened: EACCES: permission denied, open '${file}'`,
    ]);
  });
});
