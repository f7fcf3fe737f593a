import { statSync } from "node:fs";
import { fault, show } from "../manifest/fault.js";
import type { Pair } from "../manifest/fields.js";
import type { DependencyEntry, Manifest } from "../manifest/image-manifest.js";
import { tidy } from "../manifest/text.js";
import { imageFiles } from "./image-files.js";

/** An image that another one depends on. */
export interface Dependency {
  readonly path: string;
  /** `sha512-…`, checked when it is unpacked; undefined where the manifest names none. */
  readonly imageId?: string | undefined;
  /** The paths in its root that are kept, with the directories above them; undefined: all. */
  readonly pathWhitelist?: readonly string[] | undefined;
}

/** Reads the manifest of an image file. */
export type OpenManifest = (file: string) => Promise<Manifest>;

/** Reads the ID of an image file. */
type ImageIdOf = (file: string) => Promise<string>;

/** The most images that one image may depend on. One that is needed twice counts twice. */
const MOST = 256;

/**
 * The images that an image depends on, the lowest first: depth first, in the order of the manifests. One that is needed
 * twice is there twice, each time with the paths that all the images above it keep.
 *
 * @throws SandboxError `IMAGE_INVALID` for one that is not there, fits twice, has another size, or depends on itself.
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
    throw fault("dependencies", `the image builds on ${needed}`, "Name a directory of images.");
  }
  const directory = new ImageDirectory(images, openManifest, imageIdOf);
  const found: Dependency[] = [];
  await collect(manifest, {
    directory,
    found,
    steps: { taken: 0 },
    above: [],
    kept: kept(manifest, undefined),
  });
  return found;
}

interface Walk {
  readonly directory: ImageDirectory;
  readonly found: Dependency[];
  readonly steps: { taken: number };
  /** The files of the images from the top to here. */
  readonly above: readonly string[];
  /** The paths that all of those images keep; undefined: all paths. */
  readonly kept: ReadonlySet<string> | undefined;
}

async function collect(manifest: Manifest, walk: Walk): Promise<void> {
  const { directory, found, above } = walk;
  for (const [index, entry] of (manifest.dependencies ?? []).entries()) {
    const field = `dependencies[${index}]`;
    const { path, manifest: below } = await directory.find(entry, field);
    if (above.includes(path)) throw fault(field, `${show(entry.imageName)} depends on itself`);
    walk.steps.taken += 1;
    if (walk.steps.taken > MOST) throw fault("dependencies", `there are more than ${MOST}`);
    const all = kept(below, walk.kept);
    await collect(below, { ...walk, above: [...above, path], kept: all });
    // The image would be unpacked for nothing.
    if (all?.size === 0) continue;
    const pathWhitelist = all === undefined ? undefined : [...all];
    found.push({ path, imageId: entry.imageID, pathWhitelist });
  }
}

/** The paths of an image that both it and the images above it keep. */
function kept(
  { pathWhitelist = [] }: Manifest,
  above: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (pathWhitelist.length === 0) return above;
  const own = pathWhitelist.map(tidy);
  return new Set(above === undefined ? own : own.filter((path) => above.has(path)));
}

interface ImageFile {
  readonly path: string;
  readonly manifest: Manifest;
}

/** A directory of images. */
class ImageDirectory {
  readonly #directory: string;
  readonly #openManifest: OpenManifest;
  readonly #imageIdOf: ImageIdOf | undefined;
  #all: readonly ImageFile[] | undefined;

  constructor(directory: string, openManifest: OpenManifest, imageIdOf: ImageIdOf | undefined) {
    this.#directory = directory;
    this.#openManifest = openManifest;
    this.#imageIdOf = imageIdOf;
  }

  async find(entry: DependencyEntry, field: string): Promise<ImageFile> {
    const fitting = (await this.#everything()).filter(({ manifest }) => fits(manifest, entry));
    const found = fitting.length > 1 ? await this.#withId(fitting, entry) : fitting;
    const [one, other] = found;
    const wanted = `${show(entry.imageName)}${labelled(entry.labels)}`;
    if (one === undefined) throw fault(field, `there is no ${wanted} in ${this.#directory}`);
    if (other !== undefined) {
      const reason = `${one.path} and ${other.path} both are ${wanted}`;
      throw fault(field, reason, "Leave one of the two there.");
    }
    const { size } = statSync(one.path);
    if (entry.size === undefined || entry.size === size) return one;
    throw fault(`${field}.size`, `${one.path} has ${size} bytes, and not ${entry.size}`);
  }

  async #withId(fitting: readonly ImageFile[], { imageID }: DependencyEntry): Promise<ImageFile[]> {
    const imageIdOf = this.#imageIdOf;
    if (imageID === undefined || imageIdOf === undefined) return [...fitting];
    const ids = await Promise.all(fitting.map(({ path }) => imageIdOf(path)));
    return fitting.filter((_, index) => ids[index] === imageID);
  }

  async #everything(): Promise<readonly ImageFile[]> {
    if (this.#all !== undefined) return this.#all;
    const all: ImageFile[] = [];
    for (const path of imageFiles(this.#directory, "dependencies")) {
      all.push({ path, manifest: await this.#openManifest(path) });
    }
    this.#all = all;
    return all;
  }
}

/** Whether an image has the name and all the labels that are asked for. It may have other labels as well. */
function fits({ name, labels = [] }: Manifest, { imageName, labels: asked = [] }: DependencyEntry) {
  return (
    name === imageName &&
    asked.every((ask) => labels.some((own) => own.name === ask.name && own.value === ask.value))
  );
}

function labelled(labels: readonly Pair[] = []): string {
  return labels.map(({ name, value }) => `, ${name}=${show(value)}`).join("");
}
