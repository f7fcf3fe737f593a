import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** What a layout says otherwise than it should. */
export interface Wrong {
  readonly layer?: (descriptor: object) => object;
  readonly config?: (config: object) => object;
  readonly manifest?: (manifest: object) => object;
  readonly index?: (index: object, manifest: object) => object;
}

/** An OCI layout of those layers. */
export function layout(directory: string, layers: readonly Buffer[], wrong: Wrong = {}): string {
  const blobs = join(directory, "oci/blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: Buffer, mediaType: string): object => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const same = <Type>(value: Type): Type => value;
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const diffs = layers.map((bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  const config = (wrong.config ?? same)({
    os: "linux",
    rootfs: { type: "layers", diff_ids: diffs },
  });
  const manifest = (wrong.manifest ?? same)({
    schemaVersion: 2,
    config: put(json(config), "application/vnd.oci.image.config.v1+json"),
    layers: layers.map((bytes) =>
      (wrong.layer ?? same)(put(gzipSync(bytes), "application/vnd.oci.image.layer.v1.tar+gzip")),
    ),
  });
  const described = put(json(manifest), "application/vnd.oci.image.manifest.v1+json");
  const index = { schemaVersion: 2, manifests: [described] };
  writeFileSync(join(directory, "oci/oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(directory, "oci/index.json"), json(wrong.index?.(index, described) ?? index));
  return join(directory, "oci");
}
