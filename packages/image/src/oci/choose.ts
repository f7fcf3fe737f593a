import { invalidImage, shown } from "../errors.js";
import type { ImageOptions } from "../image.js";
import { type Descriptor, type Manifest, parseImageConfig, parseManifest } from "./json.js";
import { contradicts, fitOf, type Platform, platformOf, platformText } from "./platform.js";
import { blobName, readBlob, type Store } from "./store.js";

/** The manifest of an image, and its digest. */
export interface Chosen {
  readonly digest: string;
  readonly manifest: Manifest;
  readonly notes: readonly string[];
}

/** How deep indexes may be nested. */
const DEEPEST = 4;
/** Annotations that hold the tag of an image. */
const REF = "org.opencontainers.image.ref.name";
const NAME = "io.containerd.image.name";

/**
 * Finds the manifest of an OCI layout for a platform and a tag. Nested indexes are followed, and their digests are checked.
 * Of several images that fit equally well, the first one is taken, unless they have tags to choose by.
 *
 * @param index - The layout's index.json.
 * @throws SandboxError `IMAGE_INVALID` when there is none, or a tag has to be chosen.
 */
export async function chooseManifest(
  store: Store,
  index: Manifest,
  { platform: text, tag }: ImageOptions,
): Promise<Chosen> {
  const platform = platformOf(text);
  const all = index.manifests ?? [];
  const tagged = tag === undefined ? all : all.filter((each) => isTagged(each, tag));
  if (tagged.length === 0)
    throw invalidImage(
      tag === undefined
        ? "index.json names no image"
        : `it holds no image with the tag ${shown(tag)}`,
      `There are ${tagsOf(all)}.`,
    );
  const found = await search(tagged, { store, platform, deeper: DEEPEST });
  if (found !== undefined) return found;
  throw invalidImage(`it holds no image for ${platformText({ platform })}`, choiceOf(tagged));
}

interface Search {
  readonly store: Store;
  readonly platform: Platform;
  /** How many more levels of indexes may follow. */
  readonly deeper: number;
}

async function search(all: readonly Descriptor[], where: Search): Promise<Chosen | undefined> {
  const { store, platform, deeper } = where;
  const candidates = rank(all, platform);
  let otherPlatform: Chosen | undefined;
  for (const [at, candidate] of candidates.entries()) {
    const { digest } = candidate;
    const isLast = at === candidates.length - 1 && otherPlatform === undefined;
    // A layout may lack what its index names for other platforms, or for nobody who runs the image.
    if (!isLast && (await store.find(blobName(digest))) === undefined) continue;
    const manifest = await read(store, candidate);
    if (manifest.manifests !== undefined) {
      if (deeper === 0) throw invalidImage(`its indexes are nested more than ${DEEPEST} deep`);
      const inner = await search(manifest.manifests, { ...where, deeper: deeper - 1 });
      if (inner !== undefined) return inner;
      continue;
    }
    if (!isImage(manifest)) {
      if (isLast) throw noImage(manifest);
      continue;
    }
    const equals = await equalsOf(candidate, candidates, where);
    const notes =
      equals.length > 1
        ? [
            `it holds ${equals.length} images for ${platformText({ platform })}: the first one is taken`,
          ]
        : [];
    const chosen = { digest, manifest, notes };
    if (isLast || !(await isForOther(store, candidate, manifest, platform))) return chosen;
    otherPlatform ??= chosen;
  }
  return otherPlatform;
}

/** The descriptors of images that fit a platform, the best first. */
function rank(all: readonly Descriptor[], platform: Platform): Descriptor[] {
  return all
    .filter((each) => !isReferrer(each) && fitOf(each, platform) !== undefined)
    .sort((one, other) => (fitOf(one, platform) ?? 0) - (fitOf(other, platform) ?? 0));
}

/** Whether a descriptor says that what it names is about an image, and is none: a signature, or how it was built. */
function isReferrer({ annotations = {}, artifactType, mediaType, platform }: Descriptor): boolean {
  return (
    annotations["vnd.docker.reference.type"] !== undefined ||
    platform?.architecture === "unknown" ||
    (artifactType !== undefined && !CONFIG.test(artifactType)) ||
    (mediaType !== undefined && !/manifest|index/.test(mediaType))
  );
}

/** The media types of an image's configuration. */
const CONFIG = /image\.config|container\.image/;

function isImage({ config }: Manifest): boolean {
  return config?.mediaType === undefined || CONFIG.test(config.mediaType);
}

function noImage({ config }: Manifest): Error {
  return invalidImage(
    `it holds no image, but something of the type ${shown(config?.mediaType ?? "")}`,
  );
}

async function read(store: Store, descriptor: Descriptor): Promise<Manifest> {
  return parseManifest(await readBlob(store, descriptor), `the manifest ${descriptor.digest}`);
}

/** Whether an image, whose platform the index does not name, is for another one by its configuration. */
async function isForOther(
  store: Store,
  { platform }: Descriptor,
  { config }: Manifest,
  wanted: Platform,
): Promise<boolean> {
  if (platform !== undefined || config === undefined) return false;
  return contradicts(parseImageConfig(await readBlob(store, config)), wanted);
}

/** How many images are looked at to say how many there are. */
const MOST_LOOKED_AT = 32;

/**
 * The images that fit as well as the first one.
 *
 * @throws SandboxError `IMAGE_INVALID` when they have different tags.
 */
async function equalsOf(
  first: Descriptor,
  candidates: readonly Descriptor[],
  { store, platform }: Search,
): Promise<Descriptor[]> {
  const found = new Map<string, Descriptor>();
  for (const each of candidates.slice(0, MOST_LOOKED_AT)) {
    if (fitOf(each, platform) !== fitOf(first, platform) || found.has(each.digest)) continue;
    const isThere = (await store.find(blobName(each.digest))) !== undefined;
    // Somebody may mean an image by its tag that is not there, and should be told so.
    if (isThere ? await isMeant(each, { store, platform }) : tagOf(each).length > 0)
      found.set(each.digest, each);
  }
  const equals = [...found.values()];
  if (new Set(equals.flatMap(tagOf)).size > 1)
    throw invalidImage(
      `it holds ${equals.length} images that are meant`,
      `Choose one with --tag, of ${tagsOf(equals)}.`,
    );
  return equals;
}

async function isMeant(
  descriptor: Descriptor,
  { store, platform }: Pick<Search, "store" | "platform">,
): Promise<boolean> {
  const manifest = await read(store, descriptor);
  return isImage(manifest) && !(await isForOther(store, descriptor, manifest, platform));
}

function choiceOf(all: readonly Descriptor[]): string {
  return `There are ${[...new Set(all.map(platformText))].join(", ")}: choose one with --platform.`;
}

function isTagged({ annotations = {} }: Descriptor, tag: string): boolean {
  return [annotations[REF], annotations[NAME]].some(
    (name) => name !== undefined && (name === tag || name.endsWith(`:${tag}`)),
  );
}

function tagOf({ annotations = {} }: Descriptor): string[] {
  const tag = annotations[REF] ?? annotations[NAME];
  return tag === undefined ? [] : [tag];
}

function tagsOf(all: readonly Descriptor[]): string {
  const tags = all.flatMap(tagOf);
  return tags.length === 0 ? "none with a tag" : tags.map(shown).join(", ");
}
