import { createHash } from "node:crypto";
import { posix } from "node:path";
import { invalidImage, shown } from "../errors.js";
import { archiveStore } from "../oci/archive-store.js";
import { type ImageConfig, parseImageConfig, parseSaved, type Saved } from "../oci/json.js";
import { type Layer, unpackLayers } from "../oci/layers.js";
import { readSmall, type Store } from "../oci/store.js";
import type { Content, Format, Job } from "./format.js";

/** Unpacks what old versions of `docker save` write. New versions write OCI layouts. */
export const unpackDocker: Format["unpack"] = async (job) => {
  if (job.source === undefined) throw new TypeError("what docker saves is a file");
  return unpackSaved(await archiveStore(job.source, job), job);
};

/** Unpacks an image that a file manifest.json describes. Its names of files are all that tells where they are. */
export async function unpackSaved(store: Store, job: Job): Promise<Content> {
  const all = parseSaved(await readSmall(store, "manifest.json"));
  const saved = choose(all, job.options.tag);
  const bytes = await readSmall(store, within(saved.Config));
  const config = parseImageConfig(bytes);
  const notes = await unpackLayers(await layersOf(store, saved, config), job);
  const digest = createHash("sha256").update(bytes).digest("hex");
  return { digest: `sha256:${digest}`, manifest: config, notes };
}

/** The path of a file in the archive. It cannot lead out. */
function within(name: string): string {
  return posix.resolve("/", name).slice(1);
}

function choose(all: readonly Saved[], tag: string | undefined): Saved {
  const chosen =
    tag === undefined
      ? all
      : all.filter(({ RepoTags }) =>
          RepoTags?.some((each) => each === tag || each.endsWith(`:${tag}`)),
        );
  const [saved] = chosen;
  if (saved !== undefined && chosen.length === 1) return saved;
  const tags = all.flatMap(({ RepoTags }) => RepoTags ?? []).map(shown);
  throw invalidImage(
    chosen.length === 0
      ? `it holds no image${tag === undefined ? "" : ` with the tag ${shown(tag)}`}`
      : `it holds ${chosen.length} images that are meant`,
    `Choose one with --tag, of ${tags.join(", ") || "none with a tag"}.`,
  );
}

/** Finds the layers. Their digests are in the configuration, and its digest is the digest of the image. */
async function layersOf(
  store: Store,
  { Layers = [] }: Saved,
  config: ImageConfig,
): Promise<Layer[]> {
  const diffIds = config.rootfs?.diff_ids ?? [];
  if (diffIds.length !== Layers.length)
    throw invalidImage(
      `manifest.json names ${Layers.length} layers, and the configuration ${diffIds.length}`,
    );
  const layers = Layers.map(async (name, index): Promise<Layer> => {
    const source = await store.find(within(name));
    if (source === undefined) throw invalidImage(`the image lacks ${shown(name)}`);
    return { source, diffId: diffIds[index] };
  });
  return Promise.all(layers);
}
