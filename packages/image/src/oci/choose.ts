import { invalidImage, shown } from "../invalid.js";
import { parseManifest } from "./json.js";
import { fits, type Platform, platformText } from "./platform.js";
import { readBlob, readSmall, type Store } from "./store.js";
import type { Descriptor, Manifest } from "./types.js";

/** A manifest with the digest that is its name. */
export interface Chosen {
  readonly digest: string;
  readonly manifest: Manifest;
}

const DEEPEST = 4;
const REF = "org.opencontainers.image.ref.name";
const NAME = "io.containerd.image.name";

/**
 * Finds the manifest of an OCI layout for a platform and a tag. Nested indexes are followed, and checked by their digests.
 *
 * @throws SandboxError `IMAGE_INVALID` when there is none or more than one.
 */
export async function chooseManifest(
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
  const said = fitting.filter((each) => each.platform !== undefined);
  const best = said.length > 0 ? said : fitting;
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

/** What distinguishes the images, for a hint: their platforms, or else their tags. */
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
