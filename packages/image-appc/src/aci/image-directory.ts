import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fieldError, show } from "../manifest/errors.js";
import type { Pair } from "../manifest/fields.js";
import type { DependencyEntry, Manifest } from "../manifest/image-manifest.js";

/** Reads the manifest of an image file. */
export type OpenManifest = (file: string) => Promise<Manifest>;

/** Reads the ID of an image file, which takes reading all of it. */
export type ImageIdOf = (file: string) => Promise<string>;

/** An image file and its manifest. */
export interface ImageFile {
  readonly path: string;
  readonly manifest: Manifest;
}

/** Finds dependencies in a directory of images. */
export class ImageDirectory {
  readonly #directory: string;
  readonly #openManifest: OpenManifest;
  readonly #imageIdOf: ImageIdOf | undefined;
  #images: readonly ImageFile[] | undefined;

  constructor(directory: string, openManifest: OpenManifest, imageIdOf: ImageIdOf | undefined) {
    this.#directory = directory;
    this.#openManifest = openManifest;
    this.#imageIdOf = imageIdOf;
  }

  /**
   * Finds the image of a dependency.
   *
   * @param field - The field of the dependency, as errors call it.
   * @throws SandboxError `IMAGE_INVALID` when no image or more than one fits, or the image has another size.
   */
  async find(entry: DependencyEntry, field: string): Promise<ImageFile> {
    const { imageName, labels, size } = entry;
    const fitting = (await this.#all()).filter(({ manifest }) => fits(manifest, imageName, labels));
    const found = fitting.length > 1 ? await this.#withId(fitting, entry) : fitting;
    const [one, other] = found;
    const wanted = `${show(imageName)}${labelsText(labels)}`;
    if (one === undefined) throw fieldError(field, `there is no ${wanted} in ${this.#directory}`);
    if (other !== undefined) {
      const reason = `${one.path} and ${other.path} both are ${wanted}`;
      throw fieldError(field, reason, "Leave one of the two there.");
    }
    const bytes = statSync(one.path).size;
    if (size === undefined || size === bytes) return one;
    throw fieldError(`${field}.size`, `${one.path} has ${bytes} bytes, and not ${size}`);
  }

  async #all(): Promise<readonly ImageFile[]> {
    if (this.#images !== undefined) return this.#images;
    const images: ImageFile[] = [];
    for (const path of imageFiles(this.#directory, "dependencies")) {
      images.push({ path, manifest: await this.#openManifest(path) });
    }
    this.#images = images;
    return images;
  }

  async #withId(fitting: readonly ImageFile[], { imageID }: DependencyEntry): Promise<ImageFile[]> {
    const imageIdOf = this.#imageIdOf;
    if (imageID === undefined || imageIdOf === undefined) return [...fitting];
    const ids = await Promise.all(fitting.map(({ path }) => imageIdOf(path)));
    return fitting.filter((_, index) => ids[index] === imageID);
  }
}

/**
 * Lists the image files in a directory, in the order of their names.
 *
 * @param field - The field that needs them, as errors call it.
 * @throws SandboxError `IMAGE_INVALID` when the directory cannot be read.
 */
export function imageFiles(directory: string, field: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".aci"))
      .sort()
      .map((name) => join(directory, name));
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw fieldError(field, `the directory of images ${show(directory)} cannot be read: ${code}`);
  }
}

/** Whether an image has the name and all the labels that are asked for. It may have other labels as well. */
export function fits(manifest: Manifest, name: string, asked: readonly Pair[] = []): boolean {
  const labels = manifest.labels ?? [];
  return (
    manifest.name === name &&
    asked.every((ask) => labels.some((own) => own.name === ask.name && own.value === ask.value))
  );
}

function labelsText(labels: readonly Pair[] = []): string {
  return labels.map(({ name, value }) => `, ${name}=${show(value)}`).join("");
}
