import type { ImageOptions } from "@sandboxlib/image";
import { archiveHash, capturedFile, unpackImage } from "@sandboxlib/image/format";
import { fits, imageFiles } from "../aci/image-directory.js";
import { fieldError, show } from "../manifest/errors.js";
import type { Pair } from "../manifest/fields.js";
import { parseManifest } from "../manifest/image-manifest.js";
import { MOST_BYTES } from "../manifest/json.js";
import type { PodApp } from "../manifest/pod-manifest.js";
import type { OpenedImage } from "./run-pod.js";

/**
 * Opens an App Container image file for a pod. What the image asks for is not refused here, since the pod may replace it.
 *
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function openAci(path: string, options: ImageOptions): Promise<OpenedImage> {
  const found = await unpackImage(path, options);
  if (found?.record.format !== "aci")
    throw fieldError("image", `${show(path)} is no App Container image`);
  const { record, root } = found;
  const manifestBytes = Buffer.from(String(record.manifest));
  return {
    id: record.digest,
    manifest: parseManifest(manifestBytes),
    manifestBytes,
    rootDirectory: root,
    key: record.key,
  };
}

/**
 * Makes a function that finds the image of an app by its ID, in the directory `images` of the options, and opens it.
 *
 * @throws SandboxError `IMAGE_INVALID` for an image that is not there.
 */
export function openFrom(options: ImageOptions): (image: PodApp["image"]) => Promise<OpenedImage> {
  const ids = new Map<string, string>();
  return async ({ id, name, labels = [] }) => {
    const { images } = options;
    if (images === undefined)
      throw fieldError(
        "apps",
        "the pod names its images by their IDs",
        "Name a directory of images.",
      );
    for (const path of imageFiles(images, "apps")) {
      const known = ids.get(path);
      if (known === undefined && !(await isNamed(path, name, labels))) continue;
      const found = known ?? `sha512-${await archiveHash(path)}`;
      ids.set(path, found);
      if (found === id) return openAci(path, { ...options, digest: id });
    }
    throw fieldError("apps", `there is no image ${show(id)} in ${images}`);
  };
}

/** Whether an image has the name and labels that the pod gives beside its ID. Other images then need not be hashed. */
async function isNamed(
  path: string,
  name: string | undefined,
  labels: readonly Pair[],
): Promise<boolean> {
  if (name === undefined) return true;
  const bytes = await capturedFile(path, "manifest", MOST_BYTES);
  return fits(parseManifest(bytes), name, labels);
}
