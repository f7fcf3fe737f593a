import { createHash } from "node:crypto";
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Image, type ImageOptions, inspectImage, openImage } from "../src/index.js";
import { archive } from "./support/archive.js";
import { layout } from "./support/layout.js";
import { rejection, temporary } from "./support/place.js";

const PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";
const GROUP = "root:x:0:\nextra:x:77:root,app\nmore:x:78:app\nnone:x:79:apple\n";
const ROOT = archive({ path: "etc/passwd", body: PASSWD }, { path: "etc/group", body: GROUP });

/** A layout whose configuration has these fields, and is for this platform. */
function made(config: object, platform: object = {}): string {
  return layout(temporary(), [ROOT], {
    config: (whole) => ({ ...whole, ...platform, config }),
  });
}

async function opened(config: object, options: ImageOptions = {}): Promise<Image> {
  return openImage(made(config), options);
}

describe("the configuration of an OCI image", () => {
  it("sets no variable by a line that is none", async () => {
    const { config, notes } = await opened({
      Env: ["A", "=secret", "C=d=e", "F=", "G=secret\0", "PWD=/x"],
    });
    expect(config.env).toEqual({ PATH: expect.any(String), HOME: "/root", C: "d=e", F: "" });
    expect(notes).toEqual([
      'left out the variable "A" of the image: it has no `=` and so no value',
      'left out the variable "" of the image: it has no name',
      'left out the variable "G" of the image: it holds a NUL byte',
      'left out the variable "PWD" of the image: it always is the working directory',
    ]);
  });

  it("has directories at the paths of its volumes, and none outside of the root", async () => {
    const { rootDirectory } = await opened({
      Volumes: { "/data/deep": {}, rel: null, "../../up": {}, "/": {} },
    });
    for (const path of ["data/deep", "rel", "up"])
      expect(lstatSync(join(rootDirectory, path)).isDirectory()).toBe(true);
  });

  it("may have null for whatever it has not", async () => {
    const nothing = Object.fromEntries(
      ["User", "Env", "Entrypoint", "Cmd", "WorkingDir", "Volumes", "ExposedPorts"].map((name) => [
        name,
        null,
      ]),
    );
    const { config } = await opened(nothing);
    expect(config).toMatchObject({ cwd: "/", user: { uid: 0, gid: 0 } });
  });

  it("may have a working directory that starts at the root, and is made", async () => {
    const { config, rootDirectory } = await opened({ WorkingDir: "work/./deep" });
    expect(config.cwd).toBe("/work/deep");
    expect(lstatSync(join(rootDirectory, "work/deep")).isDirectory()).toBe(true);
  });

  it("gives a user no other groups, and the notes say so", async () => {
    const notes = async (User: string): Promise<readonly string[]> =>
      (await opened({ User })).notes;
    expect(await notes("app")).toEqual([
      'the program gets no group but its own, so it lacks "extra", "more"',
    ]);
    for (const user of ["app:extra", "1000", ""]) expect(await notes(user)).toEqual([]);
  });

  it("may name a user who is not there, where the caller chooses another", async () => {
    const image = made({ User: "nobody-here", Cmd: ["id"] });
    expect(await rejection(openImage(image))).toMatchObject({
      message: 'its user "nobody-here" is not in its /etc/passwd',
      hint: "Choose one with --uid and --gid.",
    });
    const user = { uid: 1000, gid: 5 };
    const { config } = await openImage(image, { user });
    expect(config).toMatchObject({ user, env: { HOME: "/home/app" }, command: ["id"] });
  });

  it("can be looked at whatever a run of it is refused for", async () => {
    const image = await inspectImage(made({ User: "nobody-here", Cmd: ["id"] }));
    expect(image.config).toMatchObject({ command: ["id"], cwd: "/" });
    expect(image.notes).toEqual([
      'a run is refused: its user "nobody-here" is not in its /etc/passwd (Choose one with --uid and --gid.)',
    ]);
  });
});

describe("an image that does not say in its index what it is for", () => {
  const other = { os: "linux", architecture: "s390x" };

  it("is refused when its configuration is for another platform than is asked for", async () => {
    const image = made({}, other);
    const { message } = await rejection(openImage(image, { platform: "linux/arm64" }));
    expect(message).toBe('the image is for "linux/s390x", and not for "linux/arm64"');
    expect((await openImage(image, { platform: "linux/s390x" })).notes).toEqual([]);
    expect((await openImage(image, { platform: "linux/s390x/z15" })).notes).toEqual([]);
  });

  it("is refused also when it is what docker saves", async () => {
    const file = join(temporary(), "saved.tar");
    const diff = createHash("sha256").update(ROOT).digest("hex");
    const config = { ...other, rootfs: { diff_ids: [`sha256:${diff}`] } };
    const saved = [{ Config: `${diff}.json`, RepoTags: null, Layers: [`${diff}/layer.tar`] }];
    writeFileSync(
      file,
      archive(
        { path: "manifest.json", body: JSON.stringify(saved) },
        { path: `${diff}.json`, body: JSON.stringify(config) },
        { path: `${diff}/layer.tar`, body: ROOT },
      ),
    );
    expect((await openImage(file, { platform: "linux/s390x" })).format).toBe("docker");
    const { message } = await rejection(openImage(file, { platform: "linux/arm64" }));
    expect(message).toBe('the image is for "linux/s390x", and not for "linux/arm64"');
  });

  it("is used when nobody asks, and the notes say so", async () => {
    expect((await openImage(made({}, other))).notes).toEqual([
      expect.stringMatching(/^the image is for "linux\/s390x", and this is "linux\//),
    ]);
    expect((await openImage(made({}, { os: "linux" }))).notes).toEqual([]);
  });
});

describe("of several images", () => {
  it("variants of one processor are told apart by --platform", async () => {
    const arm = (variant: string) => ({ os: "linux", architecture: "arm", variant });
    const image = layout(temporary(), [ROOT], {
      index: (_, described) => ({
        manifests: [
          { ...described, platform: arm("v7") },
          { ...described, digest: `sha256:${"0".repeat(64)}`, platform: arm("v6") },
        ],
      }),
    });
    for (const platform of ["linux/arm/v7", "linux/arm"])
      expect((await openImage(image, { platform })).format).toBe("oci");
    expect(await rejection(openImage(image, { platform: "linux/arm/v5" }))).toMatchObject({
      message: expect.stringMatching(/it holds no image for linux\/arm\/v5$/),
      hint: "There are linux/arm/v7, linux/arm/v6: choose one with --platform.",
    });
  });

  it("one is found through indexes of indexes, and no further than four deep", async () => {
    const image = made({ Cmd: ["found"] });
    for (let depth = 1; depth <= 4; depth += 1) nest(image);
    expect((await openImage(image)).config.command).toEqual(["found"]);
    nest(image);
    const { message } = await rejection(openImage(image));
    expect(message).toMatch(/its indexes are nested more than 4 deep$/);
  });

  it("one is chosen by --tag", async () => {
    const named = (name: string) => ({
      annotations: { "org.opencontainers.image.ref.name": name },
    });
    const other = { digest: `sha256:${"0".repeat(64)}`, ...named("example.com/app:old") };
    const image = layout(temporary(), [ROOT], {
      index: (_, described) => ({
        manifests: [
          { ...described, ...other },
          { ...described, ...named("example.com/app:new") },
        ],
      }),
    });
    expect(await rejection(openImage(image))).toMatchObject({
      message: expect.stringMatching(/it holds 2 images that are meant$/),
      hint: 'Choose one with --tag, of "example.com/app:old", "example.com/app:new".',
    });
    for (const tag of ["new", "example.com/app:new"])
      expect((await openImage(image, { tag })).format).toBe("oci");
    expect(await rejection(openImage(image, { tag: "ne" }))).toMatchObject({
      message: expect.stringMatching(/it holds no image with the tag "ne"$/),
    });
  });
});

/** Moves the index of a layout into a blob, to which the new index refers. */
function nest(directory: string): void {
  const bytes = readFileSync(join(directory, "index.json"));
  const hex = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(directory, "blobs/sha256", hex), bytes);
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const manifests = [{ mediaType, digest: `sha256:${hex}`, size: bytes.length }];
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}
