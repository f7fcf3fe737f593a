import { open } from "node:fs/promises";
import { isSandboxError } from "@sandboxlib/core";
import { invalidImage } from "../errors.js";
import type { FormatName } from "../image.js";
import { isSaved, LARGEST_JSON } from "../oci/json.js";
import { BLOCK, type Blocks } from "../unpack/blocks.js";
import { type Compression, compressionOf, decompressed } from "../unpack/compression.js";
import { entriesOf, startsArchive } from "../unpack/entries.js";
import { plainPath } from "../unpack/entry.js";
import type { Header } from "../unpack/header.js";
import { type Source, startOf } from "../unpack/source.js";
import type { Totals } from "../unpack/totals.js";

/**
 * Finds the format of a file by its content, never by its name.
 *
 * @param totals - Limits how much is decompressed. It is used for nothing else.
 * @throws SandboxError `IMAGE_INVALID` when it has none.
 */
export async function formatOfFile(
  path: string,
  source: Source,
  totals: Totals,
): Promise<FormatName> {
  const start = await startOf(source, EROFS_AT + EROFS.length);
  if (start.subarray(0, 4).toString("latin1") === "hsqs") return "squashfs";
  if (start.subarray(EROFS_AT).equals(EROFS)) return "erofs";
  const compression = compressionOf(start);
  const look = lookAt();
  try {
    if (compression === "none") await readHeaders(path, look);
    else await readAll(source, compression, totals, look);
  } catch (error) {
    // What is wrong with the files of a root is told by whoever unpacks it.
    if (!look.isLikeRoot() || !isSandboxError(error) || error.code !== "IMAGE_INVALID") throw error;
  }
  return look.format();
}

/** Where the magic number of an erofs is in the file. */
const EROFS_AT = 1024;
const EROFS = Buffer.from([0xe2, 0xe1, 0xf5, 0xe0]);

/** Looks at the entries of an archive until they tell what it is. */
interface Look {
  readonly blocks: Blocks;
  /** Whether the rest of the archive cannot change the result. */
  readonly isDecided: () => boolean;
  /** Whether there was an entry that tools do not write for an image, as far as the names of their files go. */
  readonly isLikeRoot: () => boolean;
  /** @throws SandboxError `IMAGE_INVALID` for an archive without entries. */
  format(): FormatName;
}

/** So many entries are enough to know an App Container image, in which all lie in one directory. */
const ENOUGH = 64;
/** No image of another format has as many files. */
const MOST = 100_000;

function lookAt(): Look {
  let count = 0;
  let decided: FormatName | undefined;
  let isAci = true;
  let isLikeRoot = false;
  const manifest: Buffer[] = [];
  const isDocker = (): boolean => manifest.length > 0 && isSaved(Buffer.concat(manifest));
  const blocks = entriesOf({
    entry(header) {
      const path = plainPath(header.path);
      if (path === "" || decided !== undefined) return undefined;
      count += 1;
      isAci &&= /^(manifest|rootfs(\/.*)?)$/s.test(path);
      isLikeRoot ||= !isAci && !isNameOfImage(header, path);
      if (path === "oci-layout" && header.type === "0" && !isLikeRoot) decided = "oci";
      else if (isAci ? count >= ENOUGH : count > MOST) decided = isAci ? "aci" : "tar";
      if (path !== "manifest.json" || header.type !== "0" || header.size > LARGEST_JSON)
        return undefined;
      manifest.length = 0;
      return (bytes) => void manifest.push(Buffer.from(bytes));
    },
    entryEnd: () => undefined,
  });
  return {
    blocks,
    isDecided: () => decided !== undefined,
    isLikeRoot: () => isLikeRoot,
    format() {
      if (count === 0) throw invalidImage("it holds nothing");
      if (decided !== undefined) return decided;
      if (isAci) return "aci";
      return isDocker() ? "docker" : "tar";
    },
  };
}

/**
 * Whether an OCI layout has such an entry, or what `docker save` writes. An oci-layout beside others is a file of a root.
 * With a manifest.json it is different: that may give any names to the files of an image, and mostly comes last.
 */
function isNameOfImage({ type }: Header, path: string): boolean {
  if (type === "5") return /^([0-9a-f]{64}|ingest|blobs(\/[^/]*)?)$/.test(path);
  return /^[012]$/.test(type) && /^([^/]*|[0-9a-f]{64}\/[^/]*|blobs\/.*)$/s.test(path);
}

/** Reads the headers of an archive that is not compressed. Most bodies are left out. */
async function readHeaders(path: string, { blocks, isDecided }: Look): Promise<void> {
  const file = await open(path);
  try {
    const block = Buffer.alloc(BLOCK);
    for (let at = 0; ; at += BLOCK) {
      at += blocks.skip();
      const { bytesRead } = await file.read(block, 0, BLOCK, at);
      if (at === 0) assertArchive(block.subarray(0, bytesRead));
      if (bytesRead < BLOCK || blocks.write(block) || isDecided()) return;
    }
  } finally {
    await file.close();
  }
}

async function readAll(
  source: Source,
  compression: Compression,
  totals: Totals,
  { blocks, isDecided }: Look,
): Promise<void> {
  let isFirst = true;
  totals.addFileSize(source.size);
  for await (const chunk of decompressed(source.read(), compression)) {
    if (isFirst) assertArchive(chunk);
    isFirst = false;
    totals.addBytes(chunk.length);
    if (blocks.write(chunk) || isDecided()) return;
  }
}

function assertArchive(start: Buffer): void {
  if (start.length === 0 || startsArchive(start)) return;
  throw invalidImage("it is neither a directory nor an image", HINT);
}

const HINT =
  "An image is an App Container image, an OCI layout or an archive of one, what `docker save` writes, a tar archive, or a squashfs or erofs file.";
