import { invalidImage } from "../errors.js";
import { archiveStore } from "../oci/archive-store.js";
import { chooseManifest } from "../oci/choose.js";
import {
  checkLayout,
  type ImageConfig,
  type Manifest,
  parseImageConfig,
  parseManifest,
} from "../oci/json.js";
import { type Layer, unpackLayers } from "../oci/layers.js";
import { directoryStore, findBlob, readBlob, readSmall, type Store } from "../oci/store.js";
import { unpackSaved } from "./docker.js";
import type { Format } from "./format.js";

/** Unpacks an OCI image layout, which is a directory or an archive of one. */
export const unpackOci: Format["unpack"] = async (job) => {
  const { source, options, path } = job;
  const store = source === undefined ? directoryStore(path) : await archiveStore(source, job);
  checkLayout(await readSmall(store, "oci-layout"));
  const index = parseManifest(await readSmall(store, "index.json"), "index.json");
  // Docker 25 saved some images with an empty index beside the older manifest.json.
  const isEmpty = (index.manifests ?? []).length === 0;
  if (isEmpty && (await store.find("manifest.json")) !== undefined) return unpackSaved(store, job);
  const chosen = await chooseManifest(store, index, options);
  const { config, layers } = await partsOf(store, chosen.manifest);
  const notes = await unpackLayers(layers, job);
  return { digest: chosen.digest, manifest: config, notes: [...chosen.notes, ...notes] };
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
