import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseManifest } from "../appc/image-manifest.js";
import { invalidImage, shown } from "../invalid.js";
import { writeArchive } from "./archive.js";
import { written } from "./output.js";
import { entriesOf, type Written } from "./tree.js";

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
  const entry = {
    type: "file",
    path: "manifest",
    target: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: bytes.length,
    mtime: 0,
  } as const;
  return written(file, async ({ path, own }) => {
    const files = entriesOf(rootfs, { prefix: "rootfs", without: own });
    const entries: Written[] = [{ entry, from: manifest }, ...files];
    const { sha512 } = await writeArchive(entries, path, { gzip: true });
    return `sha512-${sha512}`;
  });
}
