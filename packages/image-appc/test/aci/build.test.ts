import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openImage } from "@sandboxlib/image";
import { describe, expect, it } from "vitest";
import { type Build, describeBuild, source } from "../../../image/test/support/build.js";
import { temporary } from "../../../image/test/support/place.js";
import { smallRoot } from "../../../image/test/support/root.js";
import { buildAci } from "../../src/aci/archive.js";
import { bytesOf } from "../made.js";

/** Builds an image of a directory without a manifest. */
const build: Build = async (from, to, report) => {
  writeFileSync(join(from, "manifest"), bytesOf());
  return buildAci(from, to, report);
};

describeBuild("App Container image", build);

const MANIFEST = {
  acKind: "ImageManifest",
  acVersion: "0.8.11",
  name: "example.com/hello",
  app: { exec: ["/bin/sh", "-c", "exit 5"], user: "app", group: "extra" },
};

describe("an App Container image", () => {
  it("that we make is the same for the same files, and is read again", async () => {
    const directory = temporary();
    const source = join(directory, "hello");
    smallRoot(join(source, "rootfs"));
    writeFileSync(join(source, "manifest"), JSON.stringify(MANIFEST));
    const [a, b] = [join(directory, "a.aci"), join(directory, "b.aci")];
    const id = await buildAci(source, a);
    await buildAci(source, b);
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    const image = await openImage(a, { digest: id.slice(0, 40) });
    expect([image.format, image.digest]).toEqual(["aci", id]);
    expect(image.config).toMatchObject({
      command: ["/bin/sh", "-c", "exit 5"],
      user: { uid: 1000, gid: 77 },
    });
  });

  it("keeps a file whose name is a whiteout in an OCI image", async () => {
    const { directory } = source([".wh.gone"]);
    const file = join(directory, "image");
    await build(directory, file);
    const { rootDirectory } = await openImage(file);
    expect(readdirSync(rootDirectory)).toContain(".wh.gone");
  });
});
