import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  archiveHash,
  type BuildReport,
  buildArchive,
  type Content,
  capturedFile,
  checkBuild,
  identityOf,
  invalidImage,
  type Job,
  notesOf,
  type Part,
  shown,
  type UnpackedArchive,
  unpackArchive,
} from "@sandboxlib/image/format";
import { type Manifest, parseManifest } from "../manifest/image-manifest.js";
import { MOST_BYTES } from "../manifest/json.js";
import { dependenciesOf } from "./dependencies.js";

/** Unpacks an App Container image over the images on which it depends. */
export async function unpackAci(job: Job): Promise<Content> {
  if (job.source === undefined) throw new TypeError("an App Container image is a file");
  job.total(job.source.size);
  const { image: top, manifest } = await unpackOne(job.path, job);
  const identities = new Map<string, string>();
  const openManifest = async (path: string): Promise<Manifest> => {
    identities.set(path, identityOf(path));
    return parseManifest(await capturedFile(path, "manifest", MOST_BYTES));
  };
  const dependencies = await dependenciesOf(
    manifest,
    job.options.images,
    openManifest,
    async (path) => idOf(await archiveHash(path, job.options.maxSize)),
  );
  const unpacked: UnpackedArchive[] = [];
  const parts: Part[] = [];
  for (const { path, imageId, pathWhitelist } of dependencies) {
    const { image } = await unpackOne(path, job);
    const digest = idOf(image.sha512);
    if (imageId !== undefined && imageId !== digest)
      throw invalidImage(`the image ${shown(path)} is ${digest}, and not ${imageId}`);
    image.merge(pathWhitelist);
    unpacked.push(image);
    parts.push({ path, digest, identity: identities.get(path) ?? "" });
  }
  const { pathWhitelist = [] } = manifest;
  top.merge(pathWhitelist.length === 0 ? undefined : pathWhitelist);
  const reports = [...unpacked, top].map(({ report }) => report);
  return {
    digest: idOf(top.sha512),
    parts,
    manifest: top.captured.toString("utf8"),
    notes: notesOf(reports, job.privileged),
  };
}

async function unpackOne(
  path: string,
  job: Job,
): Promise<{ readonly image: UnpackedArchive; readonly manifest: Manifest }> {
  const captured = { name: "manifest", most: MOST_BYTES };
  const image = await unpackArchive(job, path, { below: "rootfs", captured });
  return { image, manifest: parseManifest(image.captured) };
}

/** Writes the ID of an image. */
function idOf(sha512: string): string {
  return `sha512-${sha512}`;
}

/**
 * Makes an App Container image of a directory with a `manifest` and a `rootfs`.
 *
 * @returns its image ID.
 * @throws SandboxError `IMAGE_INVALID`, and `CONFIG_INVALID` for an option that there is not or that is wrong.
 */
export async function buildAci(
  directory: string,
  file: string,
  report: BuildReport = {},
): Promise<string> {
  checkBuild(directory, file, report);
  const manifest = join(directory, "manifest");
  const rootfs = join(directory, "rootfs");
  const inode = lstatSync(manifest, { throwIfNoEntry: false });
  if (inode?.isFile() !== true) throw invalidImage(`${shown(directory)} has no file "manifest"`);
  if (lstatSync(rootfs, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw invalidImage(`${shown(directory)} has no directory "rootfs"`);
  const bytes = readFileSync(manifest);
  parseManifest(bytes);
  const files = {
    file: { name: "manifest", from: manifest, size: bytes.length, inode },
    directory: { name: "rootfs", from: rootfs },
  };
  const sha512 = await buildArchive(file, files, report);
  return idOf(sha512);
}
