import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { invalidImage } from "../errors.js";
import type { Job } from "../formats/format.js";
import { BLOCK } from "../unpack/blocks.js";
import { compressionOf, decompressed } from "../unpack/compression.js";
import { entriesOf } from "../unpack/entries.js";
import { plainPath } from "../unpack/entry.js";
import { nameOf, shownName } from "../unpack/names.js";
import { type Source, sourceOf, startOf } from "../unpack/source.js";
import { type Totals, totalsOf } from "../unpack/totals.js";
import type { Store } from "./store.js";

type ArchiveJob = Pick<Job, "path" | "scratch" | "options" | "totals">;

/**
 * Finds the files of an OCI image in an archive.
 *
 * @param source - All of the archive at `job.path`.
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function archiveStore(source: Source, job: ArchiveJob): Promise<Store> {
  const files = await filesIn(await plainArchive(source, job));
  return { find: async (name) => files.get(nameOf(name)) };
}

/**
 * Gives the path of an archive without compression, in which files can be read in any order: that of the archive itself, or
 * that of a decompressed copy.
 */
async function plainArchive(
  source: Source,
  { path, scratch, options, totals }: ArchiveJob,
): Promise<string> {
  const compression = compressionOf(await startOf(source, 6));
  if (compression === "none") return path;
  const plain = join(scratch, "archive.tar");
  // The copy is temporary, so it is counted by itself. The limit applies once more to what the layers unpack to.
  const own = totalsOf(options.maxSize, options.signal);
  const chunks = countUnpacked(decompressed(countRead(source.read(), own), compression), own);
  await pipeline(Readable.from(chunks), createWriteStream(plain, { mode: 0o600 }));
  totals.addFileSize(source.size);
  return plain;
}

async function* countRead(source: AsyncIterable<Buffer>, totals: Totals): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    totals.addRead(chunk.length);
    yield chunk;
  }
}

async function* countUnpacked(
  plain: AsyncIterable<Buffer>,
  totals: Totals,
): AsyncGenerator<Buffer> {
  for await (const chunk of plain) {
    totals.addBytes(chunk.length);
    yield chunk;
  }
}

/** The most entries of an archive. An image has a few files for each of its layers, and far fewer than this. */
const MOST_ENTRIES = 100_000;

type Link = readonly [name: string, target: string];

/**
 * Lists the files of an archive by their names, without reading what is in them. A link is another name of its target.
 */
async function filesIn(path: string): Promise<ReadonlyMap<string, Source>> {
  const files = new Map<string, Source>();
  const links: Link[] = [];
  let at = 0;
  let count = 0;
  const blocks = entriesOf({
    entry(header) {
      count += 1;
      if (count > MOST_ENTRIES) throw invalidImage(`it holds more than ${MOST_ENTRIES} files`);
      const name = plainPath(header.path);
      const { type, linkpath, size, sparse } = header;
      if (sparse !== undefined)
        throw invalidImage(
          `entry ${shownName(name)}: is a file with holes, which no image's own file is`,
          "Make the archive without --sparse.",
        );
      if (type === "0") files.set(name, sourceOf(path, at, size));
      else if (type === "1") links.push([name, plainPath(linkpath)]);
      // Old versions of `docker save` write a layer that several images share once, and symlinks to it.
      else if (type === "2") links.push([name, resolved(name, linkpath)]);
      return undefined;
    },
    entryEnd: () => undefined,
  });
  const file = await open(path);
  try {
    const block = Buffer.alloc(BLOCK);
    for (;;) {
      at += blocks.skip();
      const { bytesRead } = await file.read(block, 0, BLOCK, at);
      if (bytesRead < BLOCK) break;
      at += BLOCK;
      if (blocks.write(block)) return withLinks(files, links);
    }
  } finally {
    await file.close();
  }
  blocks.end();
  return withLinks(files, links);
}

/** The path of a symlink's target in the archive. A target that leads out of it gives a path that no file has. */
function resolved(name: string, target: string): string {
  const parts = target.startsWith("/") ? [] : name.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function withLinks(
  files: Map<string, Source>,
  links: readonly Link[],
): ReadonlyMap<string, Source> {
  for (const [name, target] of links) {
    const source = files.get(target);
    if (source === undefined)
      throw invalidImage(
        `entry ${shownName(name)}: links to ${shownName(target)}, which is not there`,
      );
    files.set(name, source);
  }
  return files;
}
