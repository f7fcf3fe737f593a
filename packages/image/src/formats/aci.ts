import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { dependenciesOf } from "../appc/dependencies.js";
import { type Manifest, parseManifest } from "../appc/image-manifest.js";
import { MOST_BYTES } from "../appc/json.js";
import { removeTree } from "../cache/remove-tree.js";
import { identityOf } from "../cache/seen.js";
import { invalidImage, shown } from "../invalid.js";
import { fileSource } from "../unpack/file-source.js";
import type { Findings } from "../unpack/findings.js";
import { archiveHash } from "../unpack/hash.js";
import { mergeLayer } from "../unpack/merge.js";
import { settleOwners } from "../unpack/settle.js";
import type { Source } from "../unpack/source.js";
import { unpackTar } from "../unpack/unpack-tar.js";
import { capturedFile } from "./captured-file.js";
import type { Job, Part, Unpack } from "./format.js";
import { keepOnly } from "./keep-only.js";
import { notesOf } from "./notes.js";

/** An App Container image, over the images that it builds on. */
export const unpackAci: Unpack = async (job) => {
  if (job.source === undefined) throw new TypeError("an App Container image is a file");
  job.total(job.source.size);
  const top = join(job.scratch, "image");
  mkdirSync(top, { mode: 0o755 });
  const image = await unpackOne(job.source, top, job);
  const { manifest } = image;
  const identities = new Map<string, string>();
  const open = async (path: string): Promise<Manifest> => {
    identities.set(path, identityOf(path));
    return manifestOf(path);
  };
  const below = await dependenciesOf(manifest, job.options.images, open, (path) =>
    imageIdOf(path, job.options.maxSize),
  );
  const all: Findings[] = [];
  const parts: Part[] = [];
  for (const { path, imageId, pathWhitelist } of below) {
    const layer = join(job.scratch, "layer");
    mkdirSync(layer, { mode: 0o755 });
    const { findings, digest } = await unpackOne(await fileSource(path), layer, job);
    if (imageId !== undefined && imageId !== digest)
      throw invalidImage(`the image ${shown(path)} is ${digest}, and not ${imageId}`);
    lay(layer, findings, pathWhitelist, job);
    all.push(findings);
    parts.push({ path, digest, identity: identities.get(path) ?? "" });
  }
  lay(top, image.findings, manifest.pathWhitelist, job);
  return {
    digest: image.digest,
    parts,
    manifest: image.text,
    notes: notesOf([...all, image.findings], job.privileged),
  };
};

interface One {
  readonly digest: string;
  readonly findings: Findings;
  readonly manifest: Manifest;
  /** As it is written, for the next one who parses it. */
  readonly text: string;
}

async function unpackOne(source: Source, directory: string, job: Job): Promise<One> {
  const { findings, digests } = await unpackTar(source, directory, {
    terms: {
      below: "rootfs",
      captured: { name: "manifest", most: MOST_BYTES },
      whiteouts: false,
      privileged: job.privileged,
    },
    totals: job.totals,
    digests: ["archive:sha512"],
    onRead: job.onRead,
  });
  const { captured } = findings;
  if (captured === undefined) throw invalidImage("the image has no manifest");
  const manifest = parseManifest(captured);
  if (job.privileged) settleOwners(directory, findings.owners);
  const digest = `sha512-${digests["archive:sha512"]}`;
  return { digest, findings, manifest, text: captured.toString("utf8") };
}

function lay(layer: string, found: Findings, kept: readonly string[] | undefined, job: Job): void {
  if (kept !== undefined && kept.length > 0) keepOnly(layer, kept);
  mergeLayer(job.root, layer, found);
  removeTree(layer);
}

async function manifestOf(path: string): Promise<Manifest> {
  return parseManifest(await capturedFile(await fileSource(path), "manifest", MOST_BYTES));
}

async function imageIdOf(path: string, maxSize: number | undefined): Promise<string> {
  return `sha512-${await archiveHash(await fileSource(path), maxSize)}`;
}
