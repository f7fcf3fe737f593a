import { invalidImage } from "../errors.js";
import type { FormatName } from "../image.js";
import { compressionOf, decompressed } from "../unpack/compression.js";
import { entriesOf, startsArchive } from "../unpack/entries.js";
import { plainPath } from "../unpack/entry.js";
import { type Source, startOf } from "../unpack/source.js";

/**
 * Finds the format of a file by its content, never by its name.
 *
 * @throws SandboxError `IMAGE_INVALID` when it has none.
 */
export async function formatOfFile(source: Source): Promise<FormatName> {
  const start = await startOf(source, EROFS_AT + EROFS.length);
  if (start.subarray(0, 4).toString("latin1") === "hsqs") return "squashfs";
  if (start.subarray(EROFS_AT).equals(EROFS)) return "erofs";
  return formatOfNames(await firstNames(source, start));
}

/** Where the magic number of an erofs is in the file. */
const EROFS_AT = 1024;
const EROFS = Buffer.from([0xe2, 0xe1, 0xf5, 0xe0]);
/** How many names are read. They are enough to tell the formats apart. */
const NAMES = 64;

/**
 * Tells the formats that are tar archives apart. New versions of `docker save` write an OCI layout, too, which is
 * preferred.
 */
function formatOfNames(names: ReadonlySet<string>): FormatName {
  if ([...names].every((name) => /^(manifest|rootfs(\/.*)?)$/.test(name))) return "aci";
  if (names.has("oci-layout") || names.has("blobs")) return "oci";
  return [...names].every((name) => DOCKER.test(name)) ? "docker" : "tar";
}

const DOCKER = /^([0-9a-f]{64}(\.json|\.tar|\/.*)?|manifest\.json|repositories)$/;

async function firstNames(source: Source, start: Buffer): Promise<Set<string>> {
  const names = new Set<string>();
  const blocks = entriesOf({
    entry(header) {
      const path = plainPath(header.path ?? "");
      if (path !== "") names.add(path.startsWith("blobs/") ? "blobs" : path);
      return undefined;
    },
    entryEnd: () => undefined,
  });
  let read = 0;
  for await (const chunk of decompressed(source.read(), compressionOf(start))) {
    if (read === 0 && !startsArchive(chunk))
      throw invalidImage("it is neither a directory nor an image", HINT);
    read += chunk.length;
    if (blocks.write(chunk) || names.size >= NAMES || read > MOST_READ) break;
  }
  if (names.size === 0) throw invalidImage("it holds nothing");
  return names;
}

const HINT =
  "An image is an App Container image, an OCI layout or an archive of one, what `docker save` writes, a tar archive, or a squashfs or erofs file.";
/** How many bytes are read at most. An image whose first files are larger than this has few files. */
const MOST_READ = 4 * 1024 * 1024;
