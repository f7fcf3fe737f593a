import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { bootId, isSandboxError } from "@sandboxlib/core";
import { hold } from "./cache/held.js";
import type { Place } from "./cache/place.js";
import { type Record, store, VERSION } from "./cache/record.js";
import { identityOf, type Key, remember } from "./cache/seen.js";
import { formatOfFile } from "./formats/detect.js";
import type { Content, Job } from "./formats/format.js";
import { loadFormat } from "./formats/load.js";
import type { FormatName, ImageOptions } from "./image.js";
import { invalidImage, shown } from "./invalid.js";
import { progressOf } from "./progress.js";
import { makePlaces } from "./root/make-places.js";
import { fileSource } from "./unpack/source.js";
import { totalsOf } from "./unpack/totals.js";

/** Unpacks an image into the cache. Nothing of it is there until all of it is. */
export async function unpackInto(
  place: Place,
  path: string,
  key: Key,
  options: ImageOptions,
): Promise<Record> {
  const held = hold(place);
  try {
    const made = join(held.path, "image");
    for (const directory of [made, join(made, "root"), join(held.path, "scratch")])
      mkdirSync(directory);
    const { format, content } = await unpack(path, held.path, options).catch((error) => {
      throw named(path, error);
    });
    const index = statSync(path).isDirectory() ? join(path, "index.json") : path;
    const parts = content.parts ?? [];
    for (const part of [{ path: index, identity: key.identity }, ...parts])
      if (identityOf(part.path) !== part.identity)
        throw invalidImage(`${shown(part.path)} was changed while it was read`);
    const record = recordFor(format, content);
    store(place, made, record);
    remember(place, key, record.key, parts);
    return record;
  } finally {
    held.remove();
  }
}

/** Adds the path of the image to an error. */
function named(path: string, error: unknown): unknown {
  if (!isSandboxError(error) || error.code !== "IMAGE_INVALID") return error;
  return invalidImage(`${shown(path)}: ${error.message}`, error.hint, error);
}

async function unpack(
  path: string,
  directory: string,
  options: ImageOptions,
): Promise<{ format: FormatName; content: Content }> {
  const source = statSync(path).isDirectory() ? undefined : await fileSource(path);
  const format = source === undefined ? "oci" : await formatOfFile(source);
  const { total, onRead } = progressOf(options.onProgress);
  const job: Job = {
    path,
    source,
    scratch: join(directory, "scratch"),
    root: join(directory, "image", "root"),
    options,
    totals: totalsOf(options.maxSize, options.signal),
    privileged: process.getuid?.() === 0,
    total,
    onRead,
  };
  const reader = await loadFormat(format);
  const content = await reader.unpack(job);
  // The mode must not depend on the umask. The directory above keeps other users out.
  chmodSync(job.root, 0o755);
  makePlaces(job.root, content.manifest);
  return { format, content };
}

function recordFor(format: FormatName, content: Content): Record {
  const parts = content.parts ?? [];
  const also = createHash("sha256").update(parts.map(({ digest }) => digest).join("\n"));
  const suffix = parts.length === 0 ? "" : `-${also.digest("hex").slice(0, 16)}`;
  // The same bytes may be a manifest of OCI in one image and docker's configuration in another, so a digest is not enough.
  const key = `${format}-${content.digest.replace(":", "-")}${suffix}`;
  return { version: VERSION, key, format, boot: bootId(), at: Date.now(), ...content };
}
