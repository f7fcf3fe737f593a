import { invalidImage } from "../errors.js";
import { BLOCK } from "./blocks.js";

/** Where the bytes of a body belong in a file with holes. */
export interface SparseMap {
  /** The size of the file, its holes included. */
  readonly realSize: number;
  /** Offsets and sizes of the parts that are no holes, in ascending order. Together they are the body. */
  readonly parts: readonly Part[];
}

/** The offset and size of a part of a file, in bytes. */
export type Part = readonly [offset: number, size: number];

/** The most parts of a file. GNU tar's own maps have one for each extent of the file. */
export const MOST_PARTS = 100_000;

/**
 * Checks a map that an archive has.
 *
 * @param size - The size of the body.
 * @throws SandboxError `IMAGE_INVALID`
 */
export function checkedMap(realSize: number, parts: readonly Part[], size: number): SparseMap {
  const refuse = (): Error => invalidImage("the tar archive is broken: a map of holes is wrong");
  if (parts.length > MOST_PARTS || !isCount(realSize)) throw refuse();
  let end = 0;
  let sum = 0;
  for (const [offset, length] of parts) {
    if (!isCount(offset) || !isCount(length) || offset < end || offset + length > realSize)
      throw refuse();
    end = offset + length;
    sum += length;
  }
  if (sum !== size) throw refuse();
  return { realSize, parts: parts.filter(([, length]) => length > 0) };
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}

/** A body with its parts in whole blocks, as GNU tar's own form has it. */
export interface AlignedBody {
  readonly map: SparseMap;
  readonly size: number;
  /** Takes the body as the archive has it. */
  readonly take: (bytes: Buffer) => void;
  /** Called after it. */
  readonly end: () => void;
}

/**
 * Widens the parts of a map to whole blocks. What is added are zeros, as the hole was.
 *
 * @param write - Takes the body of that map.
 */
export function alignedBody(
  { realSize, parts }: SparseMap,
  write: (bytes: Buffer) => void,
): AlignedBody {
  const wide = widened(parts, realSize);
  const size = wide.reduce((sum, [, length]) => sum + length, 0);
  let wideAt = 0;
  let position = 0;
  /** Writes the zeros of the wide parts up to an offset in the file. */
  const fillTo = (offset: number): void => {
    for (; wideAt < wide.length; wideAt += 1) {
      const [start, length] = wide[wideAt] ?? [0, 0];
      position = Math.max(position, start);
      const to = Math.min(offset, start + length);
      if (to > position) write(Buffer.alloc(to - position));
      position = Math.max(position, to);
      if (offset < start + length) return;
    }
  };
  let at = 0;
  let left = parts[0]?.[1] ?? 0;
  return {
    map: { realSize, parts: wide },
    size,
    take(bytes) {
      for (let from = 0; from < bytes.length; ) {
        const [offset, length] = parts[at] ?? [0, 0];
        fillTo(offset + length - left);
        const count = Math.min(left, bytes.length - from);
        write(bytes.subarray(from, from + count));
        position += count;
        from += count;
        left -= count;
        if (left > 0) return;
        at += 1;
        left = parts[at]?.[1] ?? bytes.length;
      }
    },
    end: () => fillTo(Infinity),
  };
}

function widened(parts: readonly Part[], realSize: number): Part[] {
  const wide: [number, number][] = [];
  for (const [offset, length] of parts) {
    const start = offset - (offset % BLOCK);
    const end = Math.min(realSize, Math.ceil((offset + length) / BLOCK) * BLOCK);
    const last = wide.at(-1);
    if (last !== undefined && last[0] + last[1] >= start) last[1] = end - last[0];
    else wide.push([start, end - start]);
  }
  return wide;
}
