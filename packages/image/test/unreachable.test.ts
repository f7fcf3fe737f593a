import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { buildOci, collectImages, inspectImage, listImages, openImage } from "../src/index.js";
import { archive } from "./support/archive.js";
import { layout } from "./support/layout.js";
import { listing, rejection, temporary } from "./support/place.js";

const isRoot = process.getuid?.() === 0;

/** Mounts something on a new directory until the test ends. @returns undefined where that is not possible. */
function mounted(...argv: readonly [string, ...string[]]): string | undefined {
  const at = join(temporary(), "mounted");
  mkdirSync(at, { mode: 0o700 });
  const [program, ...args] = argv;
  const { status } = spawnSync(program, [...args, at]);
  if (status !== 0) return undefined;
  onTestFinished(() => void spawnSync("umount", ["-l", at]));
  return at;
}

/** Mounts a file system of FUSE whose server is gone. */
function dead(): string | undefined {
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0";
  const script = `exec 3<>/dev/fuse && exec mount -i -t fuse -o ${options} dead "$0"`;
  return mounted("sh", "-c", script);
}

function image(): string {
  const file = join(temporary(), "image.tar");
  writeFileSync(file, archive({ path: "a", body: "x" }));
  return file;
}

const why = isRoot ? "" : " (skipped: needs root)";
describe.skipIf(!isRoot)(`what cannot be used is named${why}`, () => {
  it("a cache on a file system that is read-only", async () => {
    const file = image();
    const at = mounted("mount", "-t", "tmpfs", "-o", "ro,mode=700", "none");
    expect(at).toBeDefined();
    process.env["XDG_CACHE_HOME"] = at;
    const cache = JSON.stringify(join(at ?? "", "sandboxlib"));
    expect(await rejection(openImage(file))).toMatchObject({
      code: "IMAGE_INVALID",
      message: `the cache ${cache} cannot be made: EROFS`,
      hint: "Choose another place with XDG_CACHE_HOME.",
    });
  });

  it("a cache that has become read-only", async () => {
    const file = image();
    const at = mounted("mount", "-t", "tmpfs", "-o", "mode=700", "none") ?? "";
    process.env["XDG_CACHE_HOME"] = at;
    expect(listImages()).toEqual([]);
    mkdirSync(join(at, "sandboxlib"), { mode: 0o700 });
    expect(spawnSync("mount", ["-o", "remount,ro", at]).status).toBe(0);
    const { message } = await rejection(openImage(file));
    expect(message).toMatch(/sandboxlib\/images" cannot be made: EROFS$/);
  });

  it.skipIf(!existsSync("/dev/fuse"))("a file system whose server has died", async () => {
    const file = image();
    const at = dead();
    if (at === undefined) return;
    const why = "ENOTCONN: socket is not connected";
    for (const path of [at, join(at, "x")])
      expect((await rejection(openImage(path))).message).toMatch(
        new RegExp(`^"${path}" cannot be opened: ${why}, \\w+ '${path}'$`),
      );
    const built = rejection(buildOci(at, join(temporary(), "x.tar")));
    expect((await built).message).toBe(`the image cannot be made: ${why}, lstat '${at}'`);
    process.env["XDG_CACHE_HOME"] = at;
    const cache = `the cache "${at}/sandboxlib" cannot be used: ${why}, lstat `;
    expect((await rejection(openImage(file))).message).toContain(cache);
    for (const use of [listImages, collectImages])
      expect((await rejection(Promise.resolve().then(() => use()))).message).toContain(cache);
  });
});

const whyUser = isRoot ? " (skipped: root reads everything)" : "";
describe.skipIf(isRoot)(`what this user may not read is not said to be missing${whyUser}`, () => {
  it("in an OCI layout", async () => {
    const path = layout(temporary(), [archive({ path: "a", body: "x" })]);
    const blobs = join(path, "blobs/sha256");
    for (const part of [
      join(path, "index.json"),
      ...readdirSync(blobs).map((name) => join(blobs, name)),
    ]) {
      chmodSync(part, 0);
      const { message } = await rejection(openImage(path));
      expect(message).toContain(`cannot be read: EACCES: permission denied, open '${part}'`);
      chmodSync(part, 0o600);
    }
  });
});

describe("looking at an image", () => {
  it("changes nothing in its root", async () => {
    const file = image();
    const { rootDirectory } = await inspectImage(file);
    const before = listing(rootDirectory);
    const again = await inspectImage(file);
    expect([again.rootDirectory, listing(rootDirectory)]).toEqual([rootDirectory, before]);
  });
});
