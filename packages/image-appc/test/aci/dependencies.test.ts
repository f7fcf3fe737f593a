import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Dependency, dependenciesOf } from "../../src/aci/dependencies.js";
import { type Manifest, parseManifest } from "../../src/manifest/image-manifest.js";
import { bytesOf, rejectionOf, temporary, type Written } from "../made.js";

/** Makes a directory with an image of each name. @returns the dependencies of the image `a`. */
async function below(images: Record<string, Written>, ids = {}): Promise<readonly Dependency[]> {
  const directory = temporary();
  const manifests = new Map<string, Manifest>();
  for (const [file, fields] of Object.entries(images)) {
    writeFileSync(join(directory, `${file}.aci`), "12345");
    manifests.set(`${file}.aci`, parseManifest(bytesOf({ name: file[0], ...fields })));
  }
  writeFileSync(join(directory, "README"), "");
  const opened = (path: string): Manifest => manifests.get(basename(path)) as Manifest;
  return dependenciesOf(
    opened("a.aci"),
    directory,
    async (path) => opened(path),
    async (path) => (ids as Record<string, string>)[basename(path, ".aci")] ?? "",
  );
}

const on = (...names: string[]): Written => ({
  dependencies: names.map((imageName) => ({ imageName })),
});

const order = (found: readonly Dependency[]): string[] =>
  found.map(({ path }) => basename(path, ".aci"));

describe("dependencies", () => {
  it("lie below the image in the order of the specification", async () => {
    const chain = { a: on("b", "c"), b: {}, c: on("d"), d: {} };
    expect(order(await below(chain))).toEqual(["b", "d", "c"]);
    const diamond = { a: on("b", "c"), b: on("d"), c: on("d"), d: {} };
    expect(order(await below(diamond))).toEqual(["d", "b", "d", "c"]);
  });

  it("keep the paths that they and all the images above them keep", async () => {
    const kept = await below({
      a: { ...on("b", "d"), pathWhitelist: ["/x", "/y/"] },
      b: { ...on("c"), pathWhitelist: ["/y", "/z"] },
      c: {},
      d: { pathWhitelist: ["/nothing"] },
    });
    expect(kept.map(({ path, pathWhitelist }) => [basename(path), pathWhitelist])).toEqual([
      ["c.aci", ["/y"]],
      ["b.aci", ["/y"]],
    ]);
  });

  it("are told apart by their labels and their IDs", async () => {
    const labels = (value: string) => ({ labels: [{ name: "version", value }] });
    const images = { b1: labels("1"), b2: labels("2"), b3: labels("2") };
    const one = { dependencies: [{ imageName: "b", ...labels("1") }] };
    expect(order(await below({ a: one, ...images }))).toEqual(["b1"]);
    const imageID = `sha512-${"3".repeat(128)}`;
    const three = { dependencies: [{ imageName: "b", imageID, ...labels("2") }] };
    const found = await below({ a: three, ...images }, { b3: imageID });
    expect(found).toMatchObject([{ imageId: imageID }]);
    expect(order(found)).toEqual(["b3"]);
  });

  it.each([
    ["that are not there", { a: on("b") }, /^dependencies\[0\]: there is no "b" in/],
    ["that fit twice", { a: on("b"), b1: {}, b2: {} }, /b1\.aci and .*b2\.aci both are "b"/],
    ["of another size", { a: { dependencies: [{ imageName: "b", size: 4 }] }, b: {} }, /5 bytes/],
    ["on themselves", { a: on("b"), b: on("c"), c: on("b") }, /"b" depends on itself/],
  ])("%s are refused", async (_, images, message) => {
    expect((await rejectionOf(below(images))).message).toMatch(message);
  });

  it("cannot be so many that nobody ends counting them", async () => {
    const images: Record<string, Written> = { a: on("b", "b"), z: {} };
    for (let code = 98; code < 122; code += 1) {
      const next = String.fromCharCode(code + 1);
      images[String.fromCharCode(code)] = { ...on(next, next), pathWhitelist: [`/${next}`] };
    }
    expect((await rejectionOf(below(images))).message).toMatch(/more than 256/);
  });

  it("need a directory of images", async () => {
    const manifest = parseManifest(bytesOf(on("b")));
    const { message } = await rejectionOf(
      dependenciesOf(manifest, undefined, async () => manifest),
    );
    expect(message).toBe('dependencies: the image builds on "b"');
  });
});
