import { fieldError, show } from "../manifest/errors.js";
import { tidy } from "../manifest/fields.js";
import type { Manifest } from "../manifest/image-manifest.js";
import { ImageDirectory, type ImageIdOf, type OpenManifest } from "./image-directory.js";

/** An image on which another one depends. */
export interface Dependency {
  readonly path: string;
  /** `sha512-…`, to be checked when the image is unpacked; undefined when the manifest names none. */
  readonly imageId?: string | undefined;
  /** The paths in its root that are kept, with the directories above them. Undefined means that all are kept. */
  readonly pathWhitelist?: readonly string[] | undefined;
}

/** The most images on which one image may depend. An image that is needed twice counts twice. */
const MOST = 256;

/**
 * Finds the images on which an image depends, the lowest first: depth first, in the order of the manifests. An image that is
 * needed twice is there twice, each time with the paths that all the images above it keep.
 *
 * @param images - The directory of images in which dependencies are looked up.
 * @throws SandboxError `IMAGE_INVALID` for a dependency that is missing, ambiguous, of the wrong size, or its own dependency.
 */
export async function dependenciesOf(
  manifest: Manifest,
  images: string | undefined,
  openManifest: OpenManifest,
  imageIdOf?: ImageIdOf,
): Promise<readonly Dependency[]> {
  if ((manifest.dependencies ?? []).length === 0) return [];
  if (images === undefined) {
    const needed = show(manifest.dependencies?.[0]?.imageName);
    const reason = `the image builds on ${needed}`;
    throw fieldError("dependencies", reason, "Name a directory of images.");
  }
  const directory = new ImageDirectory(images, openManifest, imageIdOf);
  const found: Dependency[] = [];
  const kept = keptPaths(manifest, undefined);
  await collect(manifest, { directory, found, steps: { taken: 0 }, above: [], kept });
  return found;
}

interface Walk {
  readonly directory: ImageDirectory;
  readonly found: Dependency[];
  readonly steps: { taken: number };
  /** The files of the images from the top to here. */
  readonly above: readonly string[];
  /** The paths that all of those images keep. Undefined means that they keep all. */
  readonly kept: ReadonlySet<string> | undefined;
}

async function collect(manifest: Manifest, walk: Walk): Promise<void> {
  const { directory, found, above } = walk;
  for (const [index, entry] of (manifest.dependencies ?? []).entries()) {
    const field = `dependencies[${index}]`;
    const { path, manifest: below } = await directory.find(entry, field);
    if (above.includes(path)) throw fieldError(field, `${show(entry.imageName)} depends on itself`);
    walk.steps.taken += 1;
    if (walk.steps.taken > MOST) throw fieldError("dependencies", `there are more than ${MOST}`);
    const kept = keptPaths(below, walk.kept);
    await collect(below, { ...walk, above: [...above, path], kept });
    // Nothing of this image would be kept, so it is not unpacked.
    if (kept?.size === 0) continue;
    const pathWhitelist = kept === undefined ? undefined : [...kept];
    found.push({ path, imageId: entry.imageID, pathWhitelist });
  }
}

/** The paths that both an image and the images above it keep. */
function keptPaths(
  { pathWhitelist = [] }: Manifest,
  above: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (pathWhitelist.length === 0) return above;
  const own = pathWhitelist.map(tidy);
  return new Set(above === undefined ? own : own.filter((path) => above.has(path)));
}
