import { open } from "node:fs/promises";
import { invalidImage, shown } from "../errors.js";
import type { SparseMap } from "../unpack/sparse.js";

/** Smaller files are written with their zeros: few programs need the room, and every program reads such entries. */
const LEAST_SIZE = 64 * 1024 ** 2;
/** How many zeros in a row are left out, in bytes. */
const HOLE = 1024 ** 2;
const ZEROS = Buffer.alloc(HOLE);

/**
 * Finds the zeros of a large file. They are looked for in its bytes, and not in what the file system has of them, so that
 * the same bytes give the same archive everywhere.
 *
 * @returns undefined for a file that is to be written as it is.
 * @throws SandboxError `IMAGE_INVALID` when it becomes smaller meanwhile.
 */
export async function holesIn(path: string, size: number): Promise<SparseMap | undefined> {
  if (size < LEAST_SIZE) return undefined;
  const parts: [number, number][] = [];
  const file = await open(path);
  const buffer = Buffer.alloc(HOLE);
  let at = 0;
  try {
    while (at < size) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(HOLE, size - at), at);
      if (bytesRead === 0) break;
      const last = parts.at(-1);
      if (bytesRead < HOLE || !buffer.equals(ZEROS)) {
        if (last !== undefined && last[0] + last[1] === at) last[1] += bytesRead;
        else parts.push([at, bytesRead]);
      }
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  if (at !== size) throw invalidImage(`${shown(path)} was changed while it was read`);
  return parts.length === 1 && parts[0]?.[1] === size ? undefined : { realSize: size, parts };
}
