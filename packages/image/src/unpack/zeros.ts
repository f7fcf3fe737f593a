import type { Part, SparseMap } from "./sparse.js";

/** How many zeros in a row are left out, in bytes: at least so many, and from a multiple of it on. */
export const HOLE: number = 1024 ** 2;
const ZEROS = Buffer.alloc(HOLE);

/** Finds the zeros of a file. */
export interface ZeroFinder {
  /** Takes the next bytes. */
  readonly take: (bytes: Buffer) => void;
  /** Called after the last ones. @returns undefined for a file that is to be written as it is. */
  readonly map: () => SparseMap | undefined;
}

/**
 * Starts to look for zeros. They are looked for in the bytes, and not in what a file system has of them, so that the same
 * bytes give the same map everywhere.
 */
export function zeroFinder(): ZeroFinder {
  const parts: [number, number][] = [];
  let size = 0;
  let isZero = true;
  /** Takes bytes of one window of `HOLE` bytes. */
  const takeSome = (bytes: Buffer): void => {
    isZero &&= bytes.equals(ZEROS.subarray(0, bytes.length));
    size += bytes.length;
    if (size % HOLE === 0) endWindow(HOLE);
  };
  const endWindow = (length: number): void => {
    const last = parts.at(-1);
    const start = size - length;
    if (!isZero || length < HOLE) {
      if (last !== undefined && last[0] + last[1] === start) last[1] += length;
      else parts.push([start, length]);
    }
    isZero = true;
  };
  return {
    take(bytes) {
      for (let from = 0; from < bytes.length; ) {
        const count = Math.min(bytes.length - from, HOLE - (size % HOLE));
        takeSome(bytes.subarray(from, from + count));
        from += count;
      }
    },
    map() {
      if (size % HOLE > 0) endWindow(size % HOLE);
      const isWhole = size === 0 || (parts.length === 1 && parts[0]?.[1] === size);
      return isWhole ? undefined : { realSize: size, parts };
    },
  };
}

/** Takes all bytes of a file, and passes on those of the parts. */
export function partsOnly(
  parts: readonly Part[],
  write: (bytes: Buffer) => void,
): (bytes: Buffer) => void {
  let at = 0;
  let index = 0;
  return (bytes) => {
    const end = at + bytes.length;
    for (; index < parts.length; index += 1) {
      const [start, length] = parts[index] ?? [0, 0];
      const [from, to] = [Math.max(start, at), Math.min(start + length, end)];
      if (to > from) write(bytes.subarray(from - at, to - at));
      if (start + length > end) break;
    }
    at = end;
  };
}
