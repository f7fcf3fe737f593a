import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildArchive, invalidImage, shown } from "@sandboxlib/image/format";
import { parseManifest } from "../manifest/image-manifest.js";

/**
 * Makes an App Container image of a directory with a `manifest` and a `rootfs`.
 *
 * @returns its image ID.
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function buildAci(directory: string, file: string): Promise<string> {
  const manifest = join(directory, "manifest");
  const rootfs = join(directory, "rootfs");
  if (lstatSync(manifest, { throwIfNoEntry: false })?.isFile() !== true)
    throw invalidImage(`${shown(directory)} has no file "manifest"`);
  if (lstatSync(rootfs, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw invalidImage(`${shown(directory)} has no directory "rootfs"`);
  const bytes = readFileSync(manifest);
  parseManifest(bytes);
  const sha512 = await buildArchive(file, {
    file: { name: "manifest", from: manifest, size: bytes.length },
    directory: { name: "rootfs", from: rootfs },
  });
  return `sha512-${sha512}`;
}
