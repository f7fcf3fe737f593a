import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openImage } from "../src/index.js";
import { archive } from "./support/archive.js";
import { layout } from "./support/layout.js";
import { temporary } from "./support/place.js";

type Json = Readonly<Record<string, unknown>>;

/** What an index has of an image: how it is described there, and what its manifest and configuration say otherwise. */
interface Described {
  readonly name: string;
  readonly in?: Json;
  readonly manifest?: Json;
  readonly config?: Json;
}

const amd64 = (variant?: string): Json => ({
  platform: { os: "linux", architecture: "amd64", ...(variant !== undefined && { variant }) },
});
const arm64 = (variant?: string): Json => ({
  platform: { os: "linux", architecture: "arm64", ...(variant !== undefined && { variant }) },
});

/** A layout of one root, with an image for each description, whose command is its name. */
function several(...all: readonly Described[]): string {
  const directory = layout(temporary(), [archive({ path: "a" })]);
  const blobs = join(directory, "blobs/sha256");
  const put = (value: object): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const read = (digest: string): Json =>
    JSON.parse(readFileSync(join(blobs, digest.slice(7)), "utf8")) as Json;
  const index = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
  const manifest = read(index.manifests[0].digest);
  const config = read((manifest["config"] as { digest: string }).digest);
  const manifests = all.map((one) => {
    const own = put({ ...config, ...one.config, config: { Cmd: [one.name] } });
    return { ...put({ ...manifest, config: own, ...one.manifest }), ...one.in };
  });
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return directory;
}

const TWO = "it holds 2 images for linux/amd64: the first one is taken";
const referrer = { manifest: { config: { mediaType: "application/vnd.oci.empty.v1+json" } } };
const CASES: readonly (readonly [
  string,
  string,
  readonly Described[],
  string,
  readonly string[],
])[] = [
  [
    "the first of two",
    "linux/amd64",
    [
      { name: "1", in: amd64() },
      { name: "2", in: amd64() },
    ],
    "1",
    [TWO],
  ],
  [
    "amd64 beside its variants",
    "linux/amd64",
    [
      { name: "v3", in: amd64("v3") },
      { name: "v1", in: amd64() },
    ],
    "v1",
    [],
  ],
  [
    "a variant where there is nothing else",
    "linux/amd64",
    [{ name: "v3", in: amd64("v3") }],
    "v3",
    [],
  ],
  [
    "the variant that is asked for",
    "linux/amd64/v3",
    [
      { name: "v1", in: amd64() },
      { name: "v3", in: amd64("v3") },
    ],
    "v3",
    [],
  ],
  ["arm64 for arm64/v8", "linux/arm64/v8", [{ name: "a", in: arm64() }], "a", []],
  [
    "arm64/v8 for arm64",
    "linux/arm64",
    [
      { name: "9", in: arm64("v9") },
      { name: "8", in: arm64("v8") },
    ],
    "8",
    [],
  ],
  [
    "the image beside what is said to be about it",
    "linux/amd64",
    [
      { name: "sbom", in: { artifactType: "application/spdx+json" } },
      {
        name: "built",
        in: { annotations: { "vnd.docker.reference.type": "attestation-manifest" } },
      },
      { name: "unknown", in: { platform: { os: "unknown", architecture: "unknown" } } },
      { name: "image" },
    ],
    "image",
    [],
  ],
  [
    "the image beside what is about it and does not say so",
    "linux/amd64",
    [
      {
        name: "signature",
        manifest: {
          config: {
            digest: `sha256:${"0".repeat(64)}`,
            size: 1,
            ...referrer.manifest.config,
          },
        },
      },
      { name: "image" },
    ],
    "image",
    [],
  ],
  [
    "the one whose configuration fits, where the index names no platform",
    "linux/amd64",
    [
      { name: "arm", config: { architecture: "arm64" } },
      { name: "amd", config: { architecture: "amd64" } },
    ],
    "amd",
    [],
  ],
];

describe("of the images of an index", () => {
  it.each(CASES)("%s is taken", async (_of, platform, all, name, notes) => {
    const image = await openImage(several(...all), { platform });
    expect(image.config.command).toEqual([name]);
    expect(image.notes).toEqual([...notes]);
  });
});
