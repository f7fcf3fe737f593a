import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { BuildReport } from "../../src/build/archive.js";
import { openImage } from "../../src/index.js";
import { rejection, temporary } from "./place.js";

const isRoot = process.getuid?.() === 0;

/** A directory with a `rootfs` that holds these files, made in this order. */
export function source(files: readonly string[] = ["a"]): { directory: string; rootfs: string } {
  const directory = temporary();
  const rootfs = join(directory, "rootfs");
  mkdirSync(rootfs);
  chmodSync(rootfs, 0o755);
  for (const name of files) {
    writeFileSync(join(rootfs, name), "x");
    chmodSync(join(rootfs, name), 0o644);
  }
  return { directory, rootfs };
}

/** Makes an image of a directory of {@link source}, and gives its digest. */
export type Build = (from: string, to: string, report?: BuildReport) => Promise<string>;

/** The cases of an image that is built. */
export function describeBuild(what: string, build: Build): void {
  describe(`an ${what} that is built`, () => {
    const built = async ({ directory }: { directory: string }): Promise<Buffer> => {
      const file = join(temporary(), "image");
      await build(directory, file);
      return readFileSync(file);
    };

    it("is the same whatever the umask is, and in whatever order the files were made", async () => {
      const before = process.umask(0o022);
      onTestFinished(() => void process.umask(before));
      const one = await built(source(["b", "a", "é", "Z"]));
      process.umask(0o077);
      expect((await built(source(["Z", "é", "a", "b"]))).equals(one)).toBe(true);
    });

    it("is the same whichever of two names of a file came first", async () => {
      const [one, two] = [source(["a"]), source(["b"])];
      linkSync(join(one.rootfs, "a"), join(one.rootfs, "b"));
      linkSync(join(two.rootfs, "b"), join(two.rootfs, "a"));
      expect((await built(one)).equals(await built(two))).toBe(true);
    });

    const why = isRoot ? "" : " (skipped: needs root)";
    it.runIf(isRoot)(`is the same whoever owns the files${why}`, async () => {
      const [one, two] = [source(), source()];
      chownSync(join(two.rootfs, "a"), 1234, 5678);
      chownSync(two.rootfs, 1234, 5678);
      expect((await built(one)).equals(await built(two))).toBe(true);
    });

    it("is the same when it lies in the directory that it is made of", async () => {
      const { directory, rootfs } = source();
      const file = join(rootfs, "image");
      const digest = await build(directory, file);
      const first = readFileSync(file);
      expect(await build(directory, file)).toBe(digest);
      expect(readFileSync(file).equals(first)).toBe(true);
      expect(readdirSync(rootfs)).toEqual(["a", "image"]);
      rmSync(file);
      symlinkSync(rootfs, join(directory, "link"));
      expect(await build(directory, join(directory, "link/image"))).toBe(digest);
    });

    it("takes the place of an older one when it is whole, and not before", async () => {
      const { directory, rootfs } = source();
      truncateSync(join(rootfs, "a"), 2 ** 29);
      const to = temporary();
      const file = join(to, "image");
      writeFileSync(file, "older");
      const failing = rejection(build(directory, file));
      await sleep(100);
      truncateSync(join(rootfs, "a"), 0);
      expect((await failing).message).toMatch(/was changed while it was read/);
      expect(readdirSync(to).filter((name) => name !== "cache")).toEqual([basename(file)]);
      expect(readFileSync(file, "utf8")).toBe("older");
    });

    it("takes the place of a symlink, and leaves the file alone to which that leads", async () => {
      const { directory } = source();
      const to = temporary();
      const [file, other] = [join(to, "image"), join(to, "other")];
      writeFileSync(other, "other");
      symlinkSync(other, file);
      await build(directory, file);
      expect([lstatSync(file).isFile(), readFileSync(other, "utf8")]).toEqual([true, "other"]);
    });

    it("is written to the file that is open as /dev/fd/N", async () => {
      const { directory } = source();
      const file = join(temporary(), "image");
      const open = openSync(file, "w");
      onTestFinished(() => closeSync(open));
      await build(directory, `/dev/fd/${open}`);
      expect(readFileSync(file).equals(await built({ directory }))).toBe(true);
    });

    it("holds no file of the host that has taken the place of one of its own", async () => {
      const { directory, rootfs } = source();
      const host = temporary();
      for (const where of [host, join(rootfs, "b")]) {
        mkdirSync(where, { recursive: true });
        writeFileSync(join(where, "file"), "x");
      }
      const onProgress = (): void => {
        if (existsSync(join(rootfs, "gone"))) return;
        renameSync(join(rootfs, "b"), join(rootfs, "gone"));
        symlinkSync(host, join(rootfs, "b"));
      };
      const file = join(temporary(), "image");
      const { message } = await rejection(build(directory, file, { onProgress }));
      expect(message).toBe(`"${join(rootfs, "b/file")}" was changed while it was read`);
      expect(existsSync(file)).toBe(false);
    });

    it("is made with options that there are, and not after an abort", async () => {
      const { directory } = source();
      const file = join(directory, "image");
      const wrong = [
        [{ onProgess: () => undefined }, "onProgess: unknown option"],
        [{ onNote: 3 }, "onNote: 3 is no function"],
        [{ signal: "x" }, 'signal: "x" is no AbortSignal'],
      ] as const;
      for (const [report, said] of wrong) {
        const { code, message } = await rejection(build(directory, file, report as never));
        expect([code, message]).toEqual(["CONFIG_INVALID", said]);
      }
      rmSync(join(directory, "rootfs"), { recursive: true });
      const gone = build(directory, file, { signal: AbortSignal.abort(new Error("gone")) });
      await expect(gone).rejects.toThrow(/^gone$/);
    });

    it("is refused in one line where a directory is missing", async () => {
      const { directory } = source();
      const missing = join(directory, "missing");
      const { code, message } = await rejection(build(directory, join(missing, "image")));
      expect([code, message]).toEqual(["IMAGE_INVALID", expect.stringContaining(missing)]);
      rmSync(join(directory, "rootfs"), { recursive: true });
      expect((await rejection(build(directory, join(directory, "image")))).message).toMatch(
        "rootfs",
      );
    });

    it("keeps the holes of large files, wherever the file system has them", async () => {
      const [one, two] = [source(), source()];
      const size = 65 * 2 ** 20 + 5;
      for (const { rootfs } of [one, two]) {
        truncateSync(join(rootfs, "a"), size);
        writeFileSync(join(rootfs, "a"), "end", { flag: "a" });
      }
      // The second one has zeros on disk where the first one has a hole.
      const file = openSync(join(two.rootfs, "a"), "r+");
      writeSync(file, Buffer.alloc(2 ** 22), 0, 2 ** 22, 2 ** 24);
      closeSync(file);
      const archive = await built(one);
      expect(archive.length).toBeLessThan(2 ** 20);
      expect((await built(two)).equals(archive)).toBe(true);
      const image = join(temporary(), "image");
      writeFileSync(image, archive);
      // Without its holes it would be larger than it may be.
      const { rootDirectory } = await openImage(image, { maxSize: 2 ** 24 });
      const stat = lstatSync(join(rootDirectory, "a"));
      expect([stat.size, stat.blocks * 512 < 2 ** 22]).toEqual([size + 3, true]);
      const end = Buffer.alloc(3);
      const read = openSync(join(rootDirectory, "a"), "r");
      readSync(read, end, 0, 3, size);
      closeSync(read);
      expect(end.toString()).toBe("end");
    });

    it("leaves out a socket, and the rest is the same", async () => {
      const [one, two] = [source(), source()];
      const server = createServer().listen(join(two.rootfs, "socket"));
      await once(server, "listening");
      expect((await built(two)).equals(await built(one))).toBe(true);
      server.close();
    });

    it("cannot hold a symlink to a name that is not UTF-8", async () => {
      const { directory, rootfs } = source();
      symlinkSync(Buffer.from([0x2f, 0xff]), join(rootfs, "link"));
      const { code, message } = await rejection(build(directory, join(directory, "image")));
      expect([code, message]).toEqual(["IMAGE_INVALID", expect.stringContaining("is not UTF-8")]);
    });
  });
}
