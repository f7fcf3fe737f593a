import { changed } from "../errors.js";
import { type Inode, openFile } from "../unpack/source.js";
import type { SparseMap } from "../unpack/sparse.js";
import { HOLE, zeroFinder } from "../unpack/zeros.js";

/** Smaller files are written with their zeros: few programs need the room, and every program reads such entries. */
const LEAST_SIZE = 64 * 1024 ** 2;

/**
 * Finds the zeros of a large file.
 *
 * @param inode - See {@link openFile}.
 * @returns undefined for a file that is to be written as it is.
 * @throws SandboxError `IMAGE_INVALID` when it becomes smaller meanwhile.
 */
export async function holesIn(
  path: string,
  size: number,
  inode?: Inode,
): Promise<SparseMap | undefined> {
  if (size < LEAST_SIZE) return undefined;
  const finder = zeroFinder();
  const file = await openFile(path, inode);
  const buffer = Buffer.alloc(HOLE);
  let at = 0;
  try {
    while (at < size) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(HOLE, size - at), at);
      if (bytesRead === 0) break;
      finder.take(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  if (at !== size) throw changed(path);
  return finder.map();
}
