import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openImage, openImageSandbox } from "../src/index.js";
import { homeOf } from "../src/root/users.js";
import { archive, pax, type Raw, seal } from "./support/archive.js";
import { cached, listing, rejection, temporary } from "./support/place.js";

const dir = (path: string, mode = 0o755): Raw => ({ path, type: "5", mode });
const link = (path: string, linkpath: string): Raw => ({ path, type: "2", linkpath });
const hard = (path: string, linkpath: string): Raw => ({ path, type: "1", linkpath });

/** The path of the file of {@link victim}, relative to the root of the image while it is unpacked. */
const OUTSIDE = `${"../".repeat(6)}outside`;

/** A directory with a file that each archive here tries to change, and an archive beside that file. */
function victim(bytes: Buffer): { directory: string; file: string; before: string[] } {
  const directory = temporary();
  mkdirSync(join(directory, "outside"));
  writeFileSync(join(directory, "outside/secret"), "secret");
  const file = join(directory, "image.tar");
  writeFileSync(file, bytes);
  return { directory, file, before: listing(directory) };
}

const truncated = archive({ path: "a", body: "x".repeat(5000) });
const REFUSED: readonly (readonly [string, Buffer, RegExp])[] = [
  [
    "a name that leads out",
    archive({ path: `${OUTSIDE}/new`, body: "x" }),
    /outside\/new": leads out/,
  ],
  ["a name that leads out further down", archive({ path: `a/../${OUTSIDE}/new` }), /leads out/],
  ["a long name that leads out", archive({ path: `${"d/".repeat(80)}../../x` }), /leads out/],
  [
    "a file through a symlink",
    archive(link("a", OUTSIDE), { path: "a/new", body: "x" }),
    /"a\/new": lies below "a"/,
  ],
  [
    "a file through an absolute symlink",
    archive(link("a", "/tmp"), dir("a/b")),
    /"a\/b": lies below "a"/,
  ],
  [
    "a file through two symlinks",
    archive(link("a", "b"), link("b", "/"), { path: "a/etc/x" }),
    /lies below "a"/,
  ],
  [
    "a hard link that leads out",
    archive(hard("a", `${OUTSIDE}/secret`)),
    /its target ".*\/outside\/secret": leads out/,
  ],
  ["an absolute hard link", archive(hard("a", "/etc/passwd")), /Cannot hard link to 'etc\/passwd'/],
  [
    "a hard link through a symlink",
    archive(link("a", "/etc"), hard("b", "a/passwd")),
    /"b": lies below "a"/,
  ],
  [
    "a file through a hard link to a symlink",
    archive(link("a", OUTSIDE), hard("b", "a"), { path: "b/new", body: "x" }),
    /"b\/new": lies below "b"/,
  ],
  [
    "a file through a symlink that a hard link to nothing does not replace",
    archive(link("a", OUTSIDE), hard("a", "nothing"), { path: "a/new", body: "x" }),
    /"a\/new": lies below "a"/,
  ],
  [
    "a file through a symlink that a hard link to itself does not replace",
    archive(link("a", OUTSIDE), hard("a", "a"), { path: "a/new", body: "x" }),
    /"a\/new": lies below "a"/,
  ],
  [
    "a file through a symlink that a directory may not replace",
    archive(link("a", OUTSIDE), dir("a"), { path: "a/new", body: "x" }),
    /"a\/new": lies below "a"/,
  ],
  ["a hard link to nothing", archive(hard("a", "b")), /tar says/],
  ["a hard link to a directory", archive(dir("d"), hard("a", "d")), /tar says/],
  [
    "a file below a file",
    archive({ path: "a", body: "x" }, { path: "a/b", body: "x" }),
    /tar says/,
  ],
  ["a name with a NUL", archive(pax({ path: "a\0b" }), { path: "a" }), /NUL/],
  ["a name of 300 bytes", archive({ path: `a/${"n".repeat(300)}` }), /longer than one can be/],
  [
    "a path that does not fit below the cache",
    archive({ path: "d/".repeat(1501) }),
    /longer than a path may be here/,
  ],
  [
    "a file with holes whose map does not fit its body",
    archive({ path: "a", type: "S", size: 10 * 2 ** 30 }),
    /a map of holes is wrong/,
  ],
  [
    "a file with holes whose map leads beyond its end",
    archive(pax({ "GNU.sparse.size": "2", "GNU.sparse.map": "2,1" }), { path: "a", body: "x" }),
    /a map of holes is wrong/,
  ],
  ["a symlink with a body", archive({ ...link("a", "b"), body: "x" }), /a checksum is wrong/],
  [
    "a header of 2 MiB",
    archive({ path: "x", type: "x", body: Buffer.alloc(2 ** 21) }),
    /a header of 2097152 bytes/,
  ],
  [
    "a broken pax record",
    archive({ path: "x", type: "x", body: "999999 path=a\n" }, { path: "a" }),
    /broken record/,
  ],
  [
    "a checksum that is wrong",
    Buffer.concat([archive({ path: "a" }), Buffer.from("x")]).fill(1, 148, 150),
    /neither a directory nor an image/,
  ],
  ["a size below zero", archive(negative()), /size|checksum|cut off/],
  ["an archive cut off in a body", truncated.subarray(0, 2048), /cut off/],
  [
    "an archive cut off in a header",
    truncated.subarray(0, 300),
    /neither a directory nor an image/,
  ],
  [
    "a gzip stream cut off",
    gzipSync(archive({ path: "a", body: Buffer.alloc(100_000, "ab") })).subarray(0, 150),
    /gzip data is broken or cut off/,
  ],
  [
    "a /tmp that leads to itself",
    archive(link("tmp", "tmp")),
    /"\/tmp" cannot be made in it: too many symlinks/,
  ],
  ["text", Buffer.from("hello\n"), /neither a directory nor an image/],
  ["zeros", Buffer.alloc(10_240), /holds nothing/],
  ["a file of no bytes", Buffer.alloc(0), /holds nothing/],
];

function negative(): Buffer {
  const block = archive({ path: "a" }).subarray(0, 512);
  block.fill(0xff, 124, 136);
  return seal(block);
}

const isRoot = process.getuid?.() === 0;
const WALLS = [
  ["", undefined, ""],
  [
    ", also where nothing but the sanitizer protects the host",
    "chroot",
    isRoot ? "" : " (skipped: needs root)",
  ],
] as const;

describe.each(WALLS)("a hostile archive%s", (_title, backend, why) => {
  beforeAll(() => {
    // The module remembers which backend it used last, so a new copy of it is loaded.
    vi.resetModules();
    vi.stubEnv("SANDBOXLIB_BACKEND", backend);
  });
  afterAll(() => vi.unstubAllEnvs());
  it.skipIf(why !== "").each(REFUSED)(
    `with %s is refused, and nothing is kept or touched${why}`,
    async (_of, bytes, reason) => {
      const { openImage: open } = await import("../src/index.js");
      const { directory, file, before } = victim(bytes);
      const error = await rejection(open(file));
      expect(listing(directory)).toEqual(before);
      expect(error.code).toBe("IMAGE_INVALID");
      expect(error.message).toMatch(reason);
      expect(error.message).not.toContain("\n");
      expect([...cached("images"), ...cached("private"), ...cached("seen")]).toEqual([]);
    },
  );
});

describe("a hostile archive", () => {
  it("with device nodes is unpacked without them, and that is said", async () => {
    const { file } = victim(
      archive({ path: "null", type: "3" }, { path: "sda", type: "4" }, { path: "a", body: "x" }),
    );
    const { rootDirectory, notes } = await openImage(file);
    expect(readdirSync(rootDirectory).sort()).toEqual(["a", "dev", "proc", "tmp"]);
    expect(notes).toContain('left out device nodes (2), such as "null"');
  });

  it("with setuid and setgid files is unpacked without those bits, and that is said", async () => {
    const { file } = victim(
      archive({ path: "su", mode: 0o4755, body: "x" }, { path: "wall", mode: 0o2755, body: "x" }),
    );
    const { rootDirectory, notes } = await openImage(file);
    const modes = ["su", "wall"].map((name) => lstatSync(join(rootDirectory, name)).mode & 0o7777);
    expect(modes).toEqual([0o755, 0o755]);
    expect(notes).toContain('took away setuid and setgid bits (2), such as that of "su"');
  });

  it("with directories whose files belong to their group keeps that", async () => {
    const { file } = victim(archive(dir("local", 0o2775), dir("both", 0o6755)));
    const { rootDirectory } = await openImage(file);
    const modes = ["local", "both"].map((name) => lstatSync(join(rootDirectory, name)).mode);
    expect(modes.map((mode) => mode & 0o7777)).toEqual([0o2775, 0o6755]);
  });

  it("with one name twice holds what comes last", async () => {
    const { file } = victim(
      archive(link("a", "/etc/passwd"), { path: "a", body: "last" }, dir("d"), dir("d", 0o700)),
    );
    const { rootDirectory } = await openImage(file);
    expect(readFileSync(join(rootDirectory, "a"), "utf8")).toBe("last");
    expect(lstatSync(join(rootDirectory, "d")).mode & 0o777).toBe(0o700);
  });

  it("without its directories has them as others do, whatever the caller's umask is", async () => {
    const { file } = victim(archive({ path: "a/b/c", body: "x" }, dir("a", 0o700)));
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    const { rootDirectory } = await openImage(file);
    const modes = ["a", "a/b"].map((name) => lstatSync(join(rootDirectory, name)).mode & 0o7777);
    expect(modes).toEqual([0o700, 0o755]);
  });

  it("with two manifests is refused", async () => {
    const manifest = { path: "manifest", body: "{}" };
    const { file } = victim(archive(manifest, dir("rootfs"), manifest));
    expect((await rejection(openImage(file))).message).toMatch(/entry "manifest": is there twice/);
  });

  it("with strange names is unpacked under those names", async () => {
    const names = ["a\nb", "--checkpoint-action=exec=x", " ", "\u001b[31m", "c\\n", "*"];
    const { file } = victim(
      archive(...names.map((path) => ({ path, body: "x" })), {
        path: `d/${"x".repeat(200)}`,
        body: "y",
      }),
    );
    const { rootDirectory } = await openImage(file);
    const found = readdirSync(rootDirectory).filter((name) => !/^(d|dev|proc|tmp)$/.test(name));
    expect(found.sort()).toEqual(names.sort());
    expect(readdirSync(join(rootDirectory, "d"))).toEqual(["x".repeat(200)]);
  });

  it("with symlinks that lead out may be unpacked: nothing follows them", async () => {
    const { file } = victim(archive(link("a", "../../../../etc/passwd"), link("b", "/outside")));
    const { rootDirectory } = await openImage(file);
    expect(lstatSync(join(rootDirectory, "a")).isSymbolicLink()).toBe(true);
  });

  it("whose symlinks go round is no mystery to who looks into it", async () => {
    const { file } = victim(archive(dir("etc"), link("etc/passwd", "passwd"), link("srv", "srv")));
    const image = await openImage(file);
    expect(homeOf(image.rootDirectory, 0)).toBeUndefined();
    const mounts = [{ type: "tmpfs", target: "/srv" }] as const;
    const opened = openImageSandbox(image, { mounts }, { prefer: "all" });
    expect((await rejection(opened)).code).toBe("PATH_INVALID");
    expect(cached("private")).toEqual([]);
  });

  it("that is larger than it may be is refused", async () => {
    const { file } = victim(archive({ path: "a", body: Buffer.alloc(2 ** 20) }));
    const error = await rejection(openImage(file, { maxSize: 2 ** 19 }));
    expect([error.code, error.message]).toEqual([
      "IMAGE_INVALID",
      `${JSON.stringify(file)}: it unpacks to more than 524288 bytes`,
    ]);
  });

  it("that is a bomb is refused long before it has gone off", async () => {
    const zeros = gzipSync(Buffer.alloc(2 ** 26));
    const head = archive({ path: "a", size: 2 ** 34 }).subarray(0, 512);
    const bomb = Buffer.concat([gzipSync(head), ...Array.from({ length: 100 }, () => zeros)]);
    const { file } = victim(bomb);
    const error = await rejection(openImage(file));
    expect(error.message).toContain("it unpacks to more than 200 times its own size");
    expect(cached("private")).toEqual([]);
  });

  it("leaves its sparse-looking size to the limit", async () => {
    const { file } = victim(archive({ path: "a", size: 10 * 2 ** 30, body: "x" }));
    expect((await rejection(openImage(file))).message).toMatch(/cut off/);
  });
});
