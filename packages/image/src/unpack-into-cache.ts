import { createHash } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { bootId } from "@sandboxlib/core/internal";
import { type Cache, makePrivateDirectory } from "./cache/directories.js";
import { type Record, store, VERSION } from "./cache/images.js";
import { type FileKey, identityOf, remember } from "./cache/known-files.js";
import { changed, withPath } from "./errors.js";
import { formatOfFile } from "./formats/detect.js";
import type { Content, Job } from "./formats/format.js";
import { loadFormat } from "./formats/load.js";
import type { FormatName, ImageOptions } from "./image.js";
import { makeMissingDirectories } from "./root/mount-points.js";
import { newFinish } from "./unpack/finish.js";
import type { Power } from "./unpack/power.js";
import { fileSource } from "./unpack/source.js";
import { totalsOf } from "./unpack/totals.js";

/** Unpacks an image in a private directory, and moves it into the cache when it is complete. */
export async function unpackIntoCache(
  cache: Cache,
  path: string,
  key: FileKey,
  options: ImageOptions,
): Promise<Record> {
  const temporary = makePrivateDirectory(cache);
  try {
    const image = join(temporary.path, "image");
    for (const directory of [image, join(image, "root"), join(temporary.path, "scratch")])
      mkdirSync(directory);
    const { format, content, size } = await unpack(path, temporary.path, options, key.power).catch(
      (error) => {
        throw withPath(path, error);
      },
    );
    const index = statSync(path).isDirectory() ? join(path, "index.json") : path;
    const parts = content.parts ?? [];
    for (const part of [{ path: index, identity: key.identity }, ...parts])
      if (identityOf(part.path) !== part.identity) throw changed(part.path);
    const record = { ...recordFor(path, format, content, key.power), size };
    store(cache, image, record);
    remember(cache, key, record.key, parts);
    return record;
  } finally {
    temporary.remove();
  }
}

async function unpack(
  path: string,
  directory: string,
  options: ImageOptions,
  power: Power,
): Promise<{ format: FormatName; content: Content; size: number }> {
  const source = statSync(path).isDirectory() ? undefined : await fileSource(path);
  const format =
    source === undefined
      ? "oci"
      : await formatOfFile(path, source, totalsOf(options.maxSize, options.signal));
  const { total, onRead } = progressOf(options.onProgress);
  const job: Job = {
    path,
    source,
    scratch: join(directory, "scratch"),
    root: join(directory, "image", "root"),
    options,
    totals: totalsOf(options.maxSize, options.signal),
    privileged: power.privileged,
    finish: newFinish(),
    total,
    onRead,
  };
  const reader = await loadFormat(format);
  const content = await reader.unpack(job);
  makeMissingDirectories(job.root, content.manifest);
  job.finish.apply(job.root, job.privileged);
  return { format, content, size: job.totals.unpacked };
}

/** The shortest time between two calls of `onProgress`, in milliseconds. */
const PROGRESS_PERIOD = 100;

/** Tells the caller how far the unpacking has come, at most once in a period. */
function progressOf(onProgress: ImageOptions["onProgress"]): Pick<Job, "total" | "onRead"> {
  let total = 0;
  let last = 0;
  return {
    total(bytes) {
      total = bytes;
    },
    onRead(read) {
      const now = performance.now();
      if (onProgress === undefined || now - last < PROGRESS_PERIOD) return;
      last = now;
      onProgress({ read, total });
    },
  };
}

function recordFor(
  source: string,
  format: FormatName,
  content: Content,
  { scope }: Power,
): Omit<Record, "size"> {
  const parts = content.parts ?? [];
  const also = createHash("sha256").update(parts.map(({ digest }) => digest).join("\n"));
  const suffix = parts.length === 0 ? "" : `-${also.digest("hex").slice(0, 16)}`;
  // One digest may name a manifest of OCI in one image and a configuration of docker's in another, so the format is
  // added.
  const key = `${format}-${content.digest.replace(":", "-")}${suffix}${scope === "" ? "" : `-${scope}`}`;
  return { version: VERSION, key, format, boot: bootId(), at: Date.now(), source, ...content };
}
