import { invalidImage, shown } from "../errors.js";
import { archiveStore } from "../oci/archive-store.js";
import {
  type Descriptor,
  type ImageConfig,
  type Manifest,
  parseImageConfig,
  parseManifest,
} from "../oci/json.js";
import { type Layer, unpackLayers } from "../oci/layers.js";
import { fits, type Platform, platformOf, platformText } from "../oci/platform.js";
import { directoryStore, findBlob, readBlob, readSmall, type Store } from "../oci/store.js";
import type { Format } from "./format.js";

/** Unpacks an OCI image layout, which is a directory or an archive of one. */
export const unpackOci: Format["unpack"] = async (job) => {
  const { source, options, path } = job;
  const store = source === undefined ? directoryStore(path) : await archiveStore(source, job);
  const chosen = await chooseManifest(store, platformOf(options.platform), options.tag);
  const { config, layers } = await partsOf(store, chosen.manifest);
  const notes = await unpackLayers(layers, job);
  return { digest: chosen.digest, manifest: config, notes };
};

async function partsOf(
  store: Store,
  { config: descriptor, layers = [] }: Manifest,
): Promise<{ readonly config: ImageConfig; readonly layers: readonly Layer[] }> {
  if (descriptor === undefined) throw invalidImage("the manifest names no configuration");
  const config = parseImageConfig(await readBlob(store, descriptor));
  const diffIds = config.rootfs?.diff_ids ?? [];
  if (diffIds.length !== layers.length)
    throw invalidImage(
      `the manifest names ${layers.length} layers, and the configuration ${diffIds.length}`,
    );
  const found = layers.map(async (layer, index): Promise<Layer> => {
    if (layer.mediaType?.includes("encrypted") === true)
      throw invalidImage(`the layer ${layer.digest} is encrypted`);
    return {
      source: await findBlob(store, layer),
      digest: layer.digest,
      diffId: diffIds[index],
    };
  });
  return { config, layers: await Promise.all(found) };
}

/** A manifest and its digest. */
interface Chosen {
  readonly digest: string;
  readonly manifest: Manifest;
}

/** How deep indexes may be nested. */
const DEEPEST = 4;
/** Annotations that hold the tag of an image. */
const REF = "org.opencontainers.image.ref.name";
const NAME = "io.containerd.image.name";

/**
 * Finds the manifest of an OCI layout for a platform and a tag. Nested indexes are followed, and their digests are checked.
 *
 * @throws SandboxError `IMAGE_INVALID` when there is none or more than one.
 */
async function chooseManifest(
  store: Store,
  platform: Platform,
  tag: string | undefined,
): Promise<Chosen> {
  const index = parseManifest(await readSmall(store, "index.json"), "index.json");
  const all = index.manifests ?? [];
  const tagged = tag === undefined ? all : all.filter((each) => isTagged(each, tag));
  if (tagged.length === 0)
    throw invalidImage(
      tag === undefined
        ? "index.json names no image"
        : `it holds no image with the tag ${shown(tag)}`,
      `There are ${tagsOf(all)}.`,
    );
  return choose(store, tagged, platform, DEEPEST);
}

async function choose(
  store: Store,
  candidates: readonly Descriptor[],
  platform: Platform,
  deeper: number,
): Promise<Chosen> {
  const fitting = candidates.filter((each) => fits(each, platform));
  // An image for this platform is better than one that names no platform.
  const named = fitting.filter((each) => each.platform !== undefined);
  const best = named.length > 0 ? named : fitting;
  const digests = new Set(best.map(({ digest }) => digest));
  const [descriptor] = best;
  if (descriptor === undefined)
    throw invalidImage(
      `it holds no image for ${platformText({ platform })}`,
      choiceOfPlatform(candidates),
    );
  if (digests.size > 1)
    throw invalidImage(`it holds ${digests.size} images that are meant`, choiceOf(best));
  const manifest = parseManifest(
    await readBlob(store, descriptor),
    `the manifest ${descriptor.digest}`,
  );
  if (manifest.manifests === undefined) return { digest: descriptor.digest, manifest };
  if (deeper === 0) throw invalidImage(`its indexes are nested more than ${DEEPEST} deep`);
  return choose(store, manifest.manifests, platform, deeper - 1);
}

/** A hint for choosing one of several images: by their platforms, or by their tags when all have the same platform. */
function choiceOf(all: readonly Descriptor[]): string {
  const platforms = new Set(all.map(platformText));
  return platforms.size > 1 ? choiceOfPlatform(all) : `Choose one with --tag, of ${tagsOf(all)}.`;
}

function choiceOfPlatform(all: readonly Descriptor[]): string {
  return `There are ${[...new Set(all.map(platformText))].join(", ")}: choose one with --platform.`;
}

function isTagged({ annotations = {} }: Descriptor, tag: string): boolean {
  return [annotations[REF], annotations[NAME]].some(
    (name) => name !== undefined && (name === tag || name.endsWith(`:${tag}`)),
  );
}

function tagsOf(all: readonly Descriptor[]): string {
  const tags = all.flatMap(({ annotations = {} }) => annotations[REF] ?? annotations[NAME] ?? []);
  return tags.length === 0 ? "none with a tag" : tags.map(shown).join(", ");
}
