import { invalidImage } from "../invalid.js";
import { chooseManifest } from "../oci/choose.js";
import { parseImageConfig } from "../oci/json.js";
import { type Layer, unpackLayers } from "../oci/layers.js";
import { platformOf } from "../oci/platform.js";
import { archiveStore, directoryStore, findBlob, readBlob, type Store } from "../oci/store.js";
import type { ImageConfig, Manifest } from "../oci/types.js";
import type { Format } from "./format.js";
import { plainArchive } from "./plain-archive.js";

/** Unpacks an image layout of OCI, which is a directory or an archive of one. */
export const unpackOci: Format["unpack"] = async (job) => {
  const { source, options, path } = job;
  const store =
    source === undefined
      ? directoryStore(path)
      : await archiveStore(await plainArchive(source, job));
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
