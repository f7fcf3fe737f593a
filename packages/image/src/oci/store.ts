import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { invalidImage, shown, withSystemError } from "../errors.js";
import { type Source, sourceOf, startOf } from "../unpack/source.js";
import { type Descriptor, LARGEST_JSON } from "./json.js";

/** Finds the files of an image, which lie in a directory or an archive. */
export interface Store {
  /** Gives undefined when there is no such file. The name is not checked: the caller must not pass one that leads out. */
  find(name: string): Promise<Source | undefined>;
}

/** Finds the files of an OCI layout in a directory. */
export function directoryStore(directory: string): Store {
  return {
    async find(name) {
      const path = join(directory, name);
      try {
        // A symlink could lead to a file of the host, whose content must not become a part of the image.
        const file = await open(
          path,
          constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
        );
        const stat = await file.stat().finally(() => void file.close());
        return stat.isFile() ? sourceOf(path, 0, stat.size, stat) : undefined;
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        // A symlink is ELOOP, and a socket ENXIO.
        if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(code)) return undefined;
        throw withSystemError(`${shown(name)} cannot be read`, error);
      }
    },
  };
}

/** Reads a small file, such as an index. @throws SandboxError `IMAGE_INVALID` when it is not there or too large. */
export async function readSmall(store: Store, name: string): Promise<Buffer> {
  const source = await store.find(name);
  if (source === undefined) throw invalidImage(`the image lacks ${shown(name)}`);
  if (source.size > LARGEST_JSON)
    throw invalidImage(
      `${shown(name)} holds ${source.size} bytes, and ${LARGEST_JSON} is the most`,
    );
  return startOf(source, source.size);
}

/** Reads a small blob. @throws SandboxError `IMAGE_INVALID` when it is not there, or does not fit its descriptor. */
export async function readBlob(store: Store, { digest, size }: Descriptor): Promise<Buffer> {
  const bytes = await readSmall(store, blobName(digest));
  const [algorithm = "", hex] = digest.split(":");
  const found = createHash(algorithm).update(bytes).digest("hex");
  if (bytes.length !== size || found !== hex)
    throw invalidImage(`the blob ${digest} is not what its digest and size say`);
  return bytes;
}

/**
 * Finds a blob, whose digest the caller has to check.
 *
 * @throws SandboxError `IMAGE_INVALID` when it is not there or has another size.
 */
export async function findBlob(store: Store, { digest, size }: Descriptor): Promise<Source> {
  const source = await store.find(blobName(digest));
  if (source === undefined) throw invalidImage(`the image lacks the blob ${digest}`);
  if (source.size === size) return source;
  throw invalidImage(`the blob ${digest} holds ${source.size} bytes, and not ${size}`);
}

/** The path of a blob in a layout. */
export function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}
