import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { invalidImage, shown } from "../errors.js";
import { platformOf } from "../oci/platform.js";
import { fileHash, fileSource } from "../unpack/source.js";
import { type BuildReport, checkBuild, leftOutNote, writeArchive } from "./archive.js";
import { entriesOf, type FileEntry } from "./files.js";
import { checkOciOptions, type OciOptions } from "./oci-options.js";
import { type Output, replaceFile } from "./output.js";

/**
 * Makes an OCI image layout in a tar archive. The image has one layer, which is made of a directory.
 *
 * @returns the digest of its manifest.
 * @throws SandboxError `IMAGE_INVALID`, and `CONFIG_INVALID` for an option that there is not or that is wrong.
 */
export async function buildOci(
  directory: string,
  file: string,
  options: OciOptions = {},
): Promise<string> {
  checkOciOptions(options);
  const { onNote, onProgress, signal } = options;
  checkBuild(directory, file, { onNote, onProgress, signal });
  return replaceFile(file, (output) => buildTo(output, directory, options));
}

async function buildTo(
  { path, exclude }: Output,
  directory: string,
  options: OciOptions,
): Promise<string> {
  const { platform, tag } = options;
  const layout = mkdtempSync(join(tmpdir(), "sandboxlib-oci-"));
  try {
    const blobs = join(layout, "blobs/sha256");
    mkdirSync(blobs, { recursive: true });
    const layer = await writeLayer(directory, blobs, exclude, options);
    const { os, architecture, variant } = platformOf(platform);
    const on = { os, architecture, ...(variant !== undefined && { variant }) };
    const config = writeBlob(blobs, `${OCI}.config.v1+json`, {
      created: "1970-01-01T00:00:00Z",
      ...on,
      config: programOf(options),
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
    // The modes must not depend on the umask.
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

/** What the configuration says of the program. */
function programOf({ entrypoint, command, env, user, workingDirectory }: OciOptions): object {
  return {
    ...(user !== undefined && { User: user }),
    ...(env !== undefined && {
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    }),
    ...(entrypoint !== undefined && { Entrypoint: entrypoint }),
    ...(command !== undefined && { Cmd: command }),
    ...(workingDirectory !== undefined && { WorkingDir: workingDirectory }),
  };
}

const OCI = "application/vnd.oci.image";
const REF = "org.opencontainers.image.ref.name";

/** A descriptor of the OCI image specification. */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function writeLayer(
  directory: string,
  blobs: string,
  exclude: Output["exclude"],
  report: BuildReport,
): Promise<{ readonly descriptor: Descriptor; readonly diffId: string }> {
  const made = join(blobs, "layer");
  const leftOut = leftOutNote(report);
  const entries = entriesOf(directory, { exclude, onLeftOut: leftOut.add });
  leftOut.tell();
  for (const { entry } of entries) refuseWhiteout(entry);
  const { sha256 } = await writeArchive(entries, made, { gzip: true, ...report });
  const source = await fileSource(made);
  const digest = await fileHash(source);
  renameSync(made, join(blobs, digest));
  const mediaType = `${OCI}.layer.v1.tar+gzip`;
  return {
    descriptor: { mediaType, digest: `sha256:${digest}`, size: source.size },
    diffId: `sha256:${sha256}`,
  };
}

/** Readers of the layer would take such a file for the removal of another one. */
function refuseWhiteout({ path }: FileEntry["entry"]): void {
  if (!basename(path).startsWith(".wh.")) return;
  throw invalidImage(`${shown(path)} is a name that OCI images keep for what they take away`);
}

function writeBlob(blobs: string, mediaType: string, value: unknown): Descriptor {
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
