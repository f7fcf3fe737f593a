import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildOci, openImage } from "../src/index.js";
import { temporary } from "./support/place.js";
import { lacking, smallRoot, tool } from "./support/root.js";

const isRoot = process.getuid?.() === 0;

function packed(make: (root: string, file: string) => void): string {
  const directory = temporary();
  const file = join(directory, "image");
  make(smallRoot(join(directory, "root")), file);
  return file;
}

const tarWith =
  (...options: readonly string[]) =>
  (root: string, file: string): void =>
    void tool("tar", "-c", ...options, "-C", root, "-f", file, ".");

const FORMATS: readonly (readonly [
  string,
  string,
  readonly string[],
  (root: string, file: string) => void,
])[] = [
  ["a tar archive", "tar", [], tarWith()],
  ["a tar archive in pax's form", "tar", [], tarWith("--format=pax")],
  ["a tar archive in the form of 1988", "tar", [], tarWith("--format=ustar")],
  ["a tar archive with gzip", "tar", ["gzip"], tarWith("-z")],
  ["a tar archive with bzip2", "tar", ["bzip2"], tarWith("-j")],
  ["a tar archive with xz", "tar", ["xz"], tarWith("-J")],
  ["a tar archive with zstd", "tar", ["zstd"], tarWith("--zstd")],
  [
    "a squashfs",
    "squashfs",
    ["mksquashfs", "sqfs2tar"],
    (root, file) => void tool("mksquashfs", root, file, "-quiet", "-no-progress"),
  ],
  [
    "an erofs",
    "erofs",
    ["mkfs.erofs", "fsck.erofs"],
    (root, file) => void tool("mkfs.erofs", file, root),
  ],
];

describe("an image", () => {
  for (const [what, format, tools, make] of FORMATS) {
    const why = lacking(...tools);
    it.skipIf(why !== "")(`may be ${what}${why}`, async () => {
      const image = await openImage(packed(make));
      expect(image.format).toBe(format);
      expect(image.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      const root = image.rootDirectory;
      expect(readdirSync(root).sort()).toEqual(["bin", "dev", "etc", "home", "proc", "tmp"]);
      expect(readFileSync(join(root, "etc/motd"), "utf8")).toBe("hello\n");
      expect(lstatSync(join(root, "bin/sh")).isSymbolicLink()).toBe(true);
      expect(lstatSync(join(root, "bin/busybox")).mode & 0o777).toBe(0o755);
    });
  }

  it.skipIf(!isRoot)(`keeps owners for root${isRoot ? "" : " (skipped: needs root)"}`, async () => {
    const image = await openImage(packed(tarWith("--owner=33", "--group=44")));
    const { uid, gid } = lstatSync(join(image.rootDirectory, "etc/motd"));
    expect([uid, gid]).toEqual([33, 44]);
  });

  it.skipIf(isRoot)("belongs to the caller where that is not root, which is said", async () => {
    const image = await openImage(packed(tarWith("--owner=33", "--group=44")));
    expect(lstatSync(join(image.rootDirectory, "etc/motd")).uid).toBe(process.getuid?.());
    expect(image.notes.join()).toMatch(/files of other users than root \(\d+\) belong to you here/);
  });

  const LARGE = [
    ["a squashfs", 600, ["mksquashfs", "sqfs2tar"], mksquashfs],
    ["an erofs", 260, ["mkfs.erofs", "fsck.erofs"], mkfsErofs],
    ["a compressed erofs", 260, ["mkfs.erofs", "fsck.erofs"], mkfsCompressedErofs],
  ] as const;
  for (const [what, mebibytes, tools, make] of LARGE) {
    const why = lacking(...tools);
    it.skipIf(why !== "")(
      `that is ${what} costs nothing for the holes of large files${why}`,
      async () => {
        const directory = temporary();
        const [root, file] = [join(directory, "root"), join(directory, "image")];
        mkdirSync(join(root, "read-only"), { recursive: true, mode: 0o755 });
        writeFileSync(join(root, "a"), "small");
        writeFileSync(join(root, "read-only/b"), "begin");
        const size = mebibytes * 2 ** 20 + 7;
        truncateSync(join(root, "read-only/b"), size);
        writeFileSync(join(root, "read-only/b"), "end", { flag: "a" });
        chmodSync(join(root, "read-only"), 0o555);
        make(root, file);
        chmodSync(join(root, "read-only"), 0o755);
        const { rootDirectory } = await openImage(file, { maxSize: 2 ** 30 });
        const large = join(rootDirectory, "read-only/b");
        const stat = lstatSync(large);
        expect([stat.size, stat.blocks * 512 <= 2 ** 22]).toEqual([size + 3, true]);
        expect(lstatSync(join(rootDirectory, "read-only")).mode & 0o777).toBe(
          isRoot ? 0o555 : 0o755,
        );
        const [begin, end] = [Buffer.alloc(6), Buffer.alloc(4)];
        const open = openSync(large, "r");
        readSync(open, begin, 0, 6, 0);
        readSync(open, end, 0, 4, size - 1);
        closeSync(open);
        expect([begin.toString(), end.toString()]).toEqual(["begin\0", "\0end"]);
        expect(readFileSync(join(rootDirectory, "a"), "utf8")).toBe("small");
      },
      120_000,
    );
  }

  const noErofs = lacking("mkfs.erofs", "fsck.erofs");
  it.skipIf(noErofs !== "")(
    `that is an erofs keeps its modes, whatever the umask is${noErofs}`,
    async () => {
      const directory = temporary();
      const root = join(directory, "root");
      for (const [name, mode] of [
        ["ro", 0o555],
        ["none", 0o700],
        ["", 0o711],
      ] as const) {
        mkdirSync(join(root, name), { recursive: true });
        chmodSync(join(root, name), mode);
      }
      if (isRoot) {
        tool("mknod", join(root, "null"), "c", "1", "3");
        chmodSync(join(root, "none"), 0);
      }
      chmodSync(join(root, "ro"), 0o755);
      writeFileSync(join(root, "ro/shadow"), "x");
      chmodSync(join(root, "ro/shadow"), isRoot ? 0 : 0o440);
      chmodSync(join(root, "ro"), 0o555);
      const modes: unknown[] = [];
      for (const umask of [0o022, 0o077]) {
        const file = join(directory, `image-${umask}`);
        tool("mkfs.erofs", file, root);
        // Only root can read one of them, and everybody the other one.
        chmodSync(file, umask === 0o077 ? 0o600 : 0o644);
        const before = process.umask(umask);
        const { rootDirectory, notes } = await openImage(file).finally(() => process.umask(before));
        expect(notes).toEqual(isRoot ? ['left out device nodes (1), such as "null"'] : []);
        modes.push(
          ["", "ro", "ro/shadow", "none"].map((name) =>
            (lstatSync(join(rootDirectory, name)).mode & 0o7777).toString(8),
          ),
        );
      }
      const expected = isRoot ? ["711", "555", "0", "0"] : ["711", "755", "440", "700"];
      expect(modes).toEqual([expected, expected]);
      chmodSync(join(root, "none"), 0o700);
      chmodSync(join(root, "ro"), 0o755);
    },
  );

  it("that is a directory is its own root", async () => {
    const root = smallRoot(temporary());
    const image = await openImage(root);
    expect([image.format, image.rootDirectory, image.notes]).toEqual(["directory", root, []]);
  });
});

/** Makes an OCI layout of two layers with umoci. The second layer removes a file and adds one to a directory. */
function layout(directory: string): string {
  const [oci, bundle] = [join(directory, "oci"), join(directory, "bundle")];
  const image = `${oci}:latest`;
  const rootless = isRoot ? [] : ["--rootless"];
  tool("umoci", "init", "--layout", oci);
  tool("umoci", "new", "--image", image);
  tool("umoci", "unpack", ...rootless, "--image", image, bundle);
  smallRoot(join(bundle, "rootfs"));
  mkdirSync(join(bundle, "rootfs/opt/old"), { recursive: true });
  writeFileSync(join(bundle, "rootfs/opt/old/file"), "old");
  tool("umoci", "repack", "--image", image, bundle);
  tool("rm", "-rf", join(bundle, "rootfs/opt/old"), join(bundle, "rootfs/bin/touch"));
  mkdirSync(join(bundle, "rootfs/opt/new"));
  writeFileSync(join(bundle, "rootfs/etc/motd"), "second\n");
  tool("umoci", "repack", "--image", image, bundle);
  const config = {
    "--config.entrypoint": ["/bin/sh", "-c"],
    "--config.cmd": ["exit 7"],
    "--config.env": ["GREETING=a b=c"],
    "--config.workingdir": ["/work/deep"],
    "--config.user": ["app:extra"],
    "--config.volume": ["/data"],
  };
  const flags = Object.entries(config).flatMap(([flag, values]) =>
    values.flatMap((value) => [flag, value]),
  );
  tool("umoci", "config", "--image", image, ...flags);
  return oci;
}

const umoci = lacking("umoci");
const skopeo = lacking("umoci", "skopeo");

describe("an image of OCI", () => {
  it.skipIf(umoci !== "")(`by umoci says what to run, and its layers add up${umoci}`, async () => {
    const image = await openImage(layout(temporary()));
    const root = image.rootDirectory;
    expect(image.format).toBe("oci");
    expect(image.config).toMatchObject({
      command: ["/bin/sh", "-c", "exit 7"],
      env: { GREETING: "a b=c", HOME: "/home/app" },
      cwd: "/work/deep",
      user: { uid: 1000, gid: 77 },
    });
    expect(image.notes.join()).toContain('the volume "/data" is a directory of the run\'s own');
    expect(readdirSync(join(root, "opt"))).toEqual(["new"]);
    expect(readdirSync(join(root, "bin"))).not.toContain("touch");
    expect(readFileSync(join(root, "etc/motd"), "utf8")).toBe("second\n");
    expect(lstatSync(join(root, "work/deep")).isDirectory()).toBe(true);
  });

  for (const [what, format, destination] of [
    ["an archive of a layout", "oci", "oci-archive"],
    ["what docker saves", "docker", "docker-archive"],
  ] as const) {
    it.skipIf(skopeo !== "")(
      `by skopeo may be ${what}, also with gzip around it${skopeo}`,
      async () => {
        const directory = temporary();
        const oci = layout(directory);
        const file = join(directory, "image.tar");
        tool("skopeo", "copy", "-q", `oci:${oci}:latest`, `${destination}:${file}:name:latest`);
        const image = await openImage(file);
        tool("gzip", file);
        const again = await openImage(`${file}.gz`);
        expect([image.format, again.digest]).toEqual([format, image.digest]);
        expect(image.config.user).toEqual({ uid: 1000, gid: 77 });
        expect(readFileSync(join(image.rootDirectory, "etc/motd"), "utf8")).toBe("second\n");
      },
    );
  }

  it.skipIf(skopeo !== "")(`by skopeo may have layers with zstd${skopeo}`, async () => {
    const directory = temporary();
    const to = join(directory, "zstd");
    tool(
      "skopeo",
      "copy",
      "-q",
      "--dest-compress-format",
      "zstd",
      `oci:${layout(directory)}:latest`,
      `oci:${to}:latest`,
    );
    const image = await openImage(to);
    expect(readdirSync(join(image.rootDirectory, "opt"))).toEqual(["new"]);
  });

  it("that we make is the same for the same files, and is read again", async () => {
    const directory = temporary();
    const root = smallRoot(join(directory, "root"));
    const [a, b] = [join(directory, "a.tar"), join(directory, "b.tar")];
    const digest = await buildOci(root, a, { tag: "one" });
    tool("touch", "-d", "2001-01-01", join(root, "etc/motd"));
    await buildOci(root, b, { tag: "one" });
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    const image = await openImage(a, { tag: "one" });
    expect(image.digest).toBe(digest);
  });
});

function mksquashfs(root: string, file: string): void {
  tool("mksquashfs", root, file, "-quiet", "-no-progress");
}

function mkfsErofs(root: string, file: string): void {
  tool("mkfs.erofs", file, root);
}

function mkfsCompressedErofs(root: string, file: string): void {
  tool("mkfs.erofs", "-zlz4", file, root);
}
