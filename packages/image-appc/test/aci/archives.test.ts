import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openImage } from "@sandboxlib/image";
import { describe, expect, it } from "vitest";
import { archive, type Raw } from "../../../image/test/support/archive.js";
import { cached, rejection, temporary } from "../../../image/test/support/place.js";
import { lacking, tool } from "../../../image/test/support/root.js";
import { bytesOf, type Written, withApp } from "../made.js";

const manifest = (bytes: Uint8Array): Raw => ({ path: "manifest", body: Buffer.from(bytes) });
const rootfs = (...names: readonly string[]): Raw[] =>
  names.map((name) => ({ path: `rootfs/${name}`, body: `${name}\n` }));

/** The names in a root, except for those of mount points. */
function files(root: string, path = ""): string[] {
  return readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => path !== "" || !/^(dev|proc|tmp)$/.test(entry.name))
    .flatMap((entry) => {
      const at = join(path, entry.name);
      return entry.isDirectory() ? [`${at}/`, ...files(root, at)] : [at];
    })
    .sort();
}

describe("an App Container image", () => {
  const plain = archive(manifest(withApp({})), ...rootfs("a"));
  const ID = `sha512-${createHash("sha512").update(plain).digest("hex")}`;

  it("has the ID of the archive that it holds", async () => {
    const file = join(temporary(), "image.aci");
    writeFileSync(file, plain);
    const image = await openImage(file);
    expect([image.format, image.digest, image.config.command]).toEqual(["aci", ID, ["/bin/app"]]);
    expect(files(image.rootDirectory)).toEqual(["a"]);
  });

  for (const program of ["gzip", "bzip2", "xz"]) {
    const why = lacking(program);
    it.skipIf(why !== "")(`has the same ID with ${program} around it${why}`, async () => {
      const file = join(temporary(), "image.aci");
      writeFileSync(file, plain);
      tool("sh", "-c", `${program} < ${file} > ${file}.z`);
      const image = await openImage(`${file}.z`, { digest: ID });
      expect([image.format, image.digest]).toEqual(["aci", ID]);
      expect(files(image.rootDirectory)).toEqual(["a"]);
    });
  }

  it("may have its manifest at the end", async () => {
    const file = join(temporary(), "image.aci");
    writeFileSync(file, archive(...rootfs("a", "b"), manifest(withApp({}))));
    const image = await openImage(file);
    expect([image.format, image.config.command]).toEqual(["aci", ["/bin/app"]]);
    expect(files(image.rootDirectory)).toEqual(["a", "b"]);
  });

  it("with another ID than is asked for is refused", async () => {
    const file = join(temporary(), "image.aci");
    writeFileSync(file, plain);
    const digest = `sha512-${"0".repeat(128)}`;
    expect(await rejection(openImage(file, { digest }))).toMatchObject({ code: "IMAGE_INVALID" });
  });
});

/** A directory of images, each with its manifest's fields and the files of its root. */
function directoryOf(images: Readonly<Record<string, readonly [Written, ...string[]]>>): string {
  const directory = join(temporary(), "images");
  mkdirSync(directory);
  for (const [name, [fields, ...names]] of Object.entries(images)) {
    const bytes = bytesOf({ name: `example.com/${name}`, ...fields });
    writeFileSync(join(directory, `${name}.aci`), archive(manifest(bytes), ...rootfs(...names)));
  }
  return directory;
}

const on = (...names: string[]): Written => ({
  dependencies: names.map((name) => ({ imageName: `example.com/${name}` })),
});

describe("an image that builds on others", () => {
  it("lies over them, with what each of them and those above it keep", async () => {
    const images = directoryOf({
      app: [
        { ...on("lib"), pathWhitelist: ["/app", "/lib/used", "/base"] },
        "app",
        "lib/of-the-app",
      ],
      lib: [
        { ...on("base"), pathWhitelist: ["/lib/used", "/base", "/unused"] },
        "lib/used",
        "unused",
        "base",
      ],
      base: [{}, "base", "lib/used", "more"],
    });
    const { rootDirectory, digest } = await openImage(join(images, "app.aci"), { images });
    expect(files(rootDirectory)).toEqual(["app", "base", "lib/", "lib/used"]);
    const alone = directoryOf({ app: [{}, "app"] });
    expect((await openImage(join(alone, "app.aci"))).digest).not.toBe(digest);
  });

  it("has the files of the one that comes last where several have one of a name", async () => {
    const images = directoryOf({ app: [on("one", "two"), "own"], one: [{}], two: [{}] });
    for (const name of ["one", "two"]) {
      const bytes = bytesOf({ name: `example.com/${name}` });
      const file = { path: "rootfs/same", body: name };
      writeFileSync(join(images, `${name}.aci`), archive(manifest(bytes), file));
    }
    const { rootDirectory } = await openImage(join(images, "app.aci"), { images });
    expect(readFileSync(join(rootDirectory, "same"), "utf8")).toBe("two");
  });

  it("is unpacked anew when one of them has changed, and refused when it is another than it names", async () => {
    const images = directoryOf({ app: [on("lib"), "app"], lib: [{}, "old"] });
    const app = join(images, "app.aci");
    const first = await openImage(app, { images });
    const lib = archive(manifest(bytesOf({ name: "example.com/lib" })), ...rootfs("new"));
    writeFileSync(join(images, "lib.aci"), lib);
    const second = await openImage(app, { images });
    expect([files(first.rootDirectory), files(second.rootDirectory)]).toEqual([
      ["app", "old"],
      ["app", "new"],
    ]);
    const imageID = `sha512-${"0".repeat(128)}`;
    const dependencies = [{ imageName: "example.com/lib", imageID }];
    const bytes = bytesOf({ name: "example.com/app", dependencies });
    writeFileSync(app, archive(manifest(bytes), ...rootfs("app")));
    const { message } = await rejection(openImage(app, { images }));
    expect(message).toMatch(/lib\.aci" is sha512-[0-9a-f]{128}, and not sha512-0{128}$/);
  });

  it("is not kept in the cache when one of them was changed while it was read", async () => {
    const directory = temporary();
    const images = join(directory, "images");
    mkdirSync(images);
    const aci = (fields: Written, body: string): Buffer =>
      archive(manifest(bytesOf(fields)), { path: "rootfs", type: "5" }, { path: "rootfs/a", body });
    const top = aci({ name: "example.com/top", ...on("dep") }, "x");
    const [file, below] = [join(directory, "top.aci"), join(images, "dep.aci")];
    writeFileSync(file, top);
    writeFileSync(below, aci({ name: "example.com/dep" }, "x".repeat(2 ** 26)));
    const onProgress = ({ read: bytes }: { read: number }): void => {
      if (bytes > top.length) utimesSync(below, new Date(1e12), new Date(1e12));
    };
    expect((await rejection(openImage(file, { images, onProgress }))).message).toBe(
      `${JSON.stringify(below)} was changed while it was read`,
    );
    expect(cached("images")).toEqual([]);
    await openImage(file, { images });
    expect(cached("images")).toHaveLength(1);
  });
});
