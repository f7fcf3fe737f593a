import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { invalidImage, shown } from "../invalid.js";
import { platformOf } from "../oci/platform.js";
import { fileHash } from "../unpack/hash.js";
import { fileSource } from "../unpack/source.js";
import { writeArchive } from "./archive.js";
import { type Output, written } from "./output.js";
import { entriesOf, type Written } from "./tree.js";

/** What goes into an OCI image beside its files. */
export interface OciOptions {
  /** As `linux/amd64`. Default: this machine's. */
  readonly platform?: string | undefined;
  readonly tag?: string | undefined;
}

/**
 * Makes an OCI image layout, in a tar archive, of a directory that is its root.
 *
 * @returns the digest of its manifest.
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function buildOci(
  directory: string,
  file: string,
  { platform, tag }: OciOptions = {},
): Promise<string> {
  return written(file, (output) => buildTo(output, directory, { platform, tag }));
}

async function buildTo(
  { path, own }: Output,
  directory: string,
  { platform, tag }: OciOptions,
): Promise<string> {
  const layout = mkdtempSync(join(tmpdir(), "sandboxlib-oci-"));
  try {
    const blobs = join(layout, "blobs/sha256");
    mkdirSync(blobs, { recursive: true });
    const layer = await writeLayer(directory, blobs, own);
    const { os, architecture, variant } = platformOf(platform);
    const on = { os, architecture, ...(variant !== undefined && { variant }) };
    const config = writeBlob(blobs, `${OCI}.config.v1+json`, {
      created: "1970-01-01T00:00:00Z",
      ...on,
      config: {},
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      history: [],
    });
    const manifest = writeBlob(blobs, `${OCI}.manifest.v1+json`, {
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config,
      layers: [layer.descriptor],
    });
    const annotations = tag === undefined ? {} : { annotations: { [REF]: tag } };
    writeJson(join(layout, "oci-layout"), { imageLayoutVersion: "1.0.0" });
    writeJson(join(layout, "index.json"), {
      schemaVersion: 2,
      mediaType: `${OCI}.index.v1+json`,
      manifests: [{ ...manifest, platform: on, ...annotations }],
    });
    // Whatever the umask is, the same modes.
    const entries = entriesOf(layout).map(({ entry, ...rest }) => ({
      ...rest,
      entry: { ...entry, mode: entry.type === "directory" ? 0o755 : 0o644 },
    }));
    await writeArchive(entries, path, { gzip: false });
    return manifest.digest;
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}

const OCI = "application/vnd.oci.image";
const REF = "org.opencontainers.image.ref.name";

interface Described {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function writeLayer(
  directory: string,
  blobs: string,
  without: Output["own"],
): Promise<{ readonly descriptor: Described; readonly diffId: string }> {
  const made = join(blobs, "layer");
  const entries = entriesOf(directory, { without });
  for (const { entry } of entries) refuseWhiteout(entry);
  const { sha256 } = await writeArchive(entries, made, { gzip: true });
  const source = await fileSource(made);
  const digest = await fileHash(source);
  renameSync(made, join(blobs, digest));
  const mediaType = `${OCI}.layer.v1.tar+gzip`;
  return {
    descriptor: { mediaType, digest: `sha256:${digest}`, size: source.size },
    diffId: `sha256:${sha256}`,
  };
}

/** Whoever reads the layer would take it for the absence of another file. */
function refuseWhiteout({ path }: Written["entry"]): void {
  if (!basename(path).startsWith(".wh.")) return;
  throw invalidImage(`${shown(path)} is a name that OCI images keep for what they take away`);
}

function writeBlob(blobs: string, mediaType: string, value: unknown): Described {
  const made = join(blobs, "blob");
  writeJson(made, value);
  const bytes = readFileSync(made);
  const digest = createHash("sha256").update(bytes).digest("hex");
  renameSync(made, join(blobs, digest));
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value));
}
