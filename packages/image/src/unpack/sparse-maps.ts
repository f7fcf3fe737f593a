import { invalidImage } from "../errors.js";
import { BLOCK, type BlockReader, type Sink } from "./blocks.js";
import type { PaxSparse } from "./extensions.js";
import { numberAt } from "./header.js";
import { checkedMap, MOST_PARTS, type Part, type SparseMap } from "./sparse.js";

/** The map of a file with holes in GNU tar's old form: some of it is in the header, and blocks that follow have the rest. */
export interface OldMap {
  /** Whether no more blocks follow. */
  readonly isComplete: () => boolean;
  /** Takes the next block of the map. */
  readonly add: (block: Buffer) => void;
  /** @throws SandboxError `IMAGE_INVALID` for a map that is wrong. */
  readonly checked: (size: number) => SparseMap;
}

/** Reads the part of a map that is in the header. */
export function oldMap(header: Buffer): OldMap {
  const parts: Part[] = [];
  const realSize = numberAt(header, 483, 12);
  let isMore = takeParts(header, { at: 386, count: 4 }, parts);
  return {
    isComplete: () => !isMore,
    add(block) {
      isMore = takeParts(block, { at: 0, count: 21 }, parts);
    },
    checked: (size) => checkedMap(realSize, parts, size),
  };
}

/** @returns whether another block of the map follows. */
function takeParts(
  block: Buffer,
  { at, count }: { readonly at: number; readonly count: number },
  parts: Part[],
): boolean {
  const end = at + 24 * count;
  for (let place = at; place < end && block[place + 12] !== 0; place += 24)
    parts.push([numberAt(block, place, 12), numberAt(block, place + 12, 12)]);
  if (parts.length > MOST_PARTS) throw tooLong();
  return block[end] !== 0;
}

/** Reads a map that a pax header has. @throws SandboxError `IMAGE_INVALID` for a map that is wrong. */
export function paxMap({ realSize = 0, parts }: PaxSparse, size: number): SparseMap {
  return checkedMap(realSize, parts, size);
}

/** The longest map in a body, in bytes. */
const LONGEST = 4 * 1024 * 1024;

/**
 * Reads the map at the start of a body: lines with decimal numbers, filled up to a whole block. The first one is how many
 * pairs of an offset and a size follow.
 *
 * @param size - The size of the body with the map.
 * @param begin - Called once the map has been read, with the size of the rest. It gives what takes the rest.
 * @throws SandboxError `IMAGE_INVALID` for a map that is wrong.
 */
export function mapInBody(
  size: number,
  realSize: number,
  begin: (size: number, map: SparseMap) => Sink,
): ReturnType<BlockReader["header"]> {
  let text = "";
  let lines = 0;
  let rest: Sink;
  let isRead = false;
  let count: number | undefined;
  const readMap = (): void => {
    count ??= numberOf(text.slice(0, text.indexOf("\n")));
    if (count > MOST_PARTS) throw tooLong();
    if (lines < 1 + 2 * count) return;
    const numbers = text.split("\n", 1 + 2 * count).map(numberOf);
    const parts = Array.from({ length: count }, (_, index): Part => {
      return [numbers[1 + 2 * index] ?? 0, numbers[2 + 2 * index] ?? 0];
    });
    isRead = true;
    rest = begin(size - text.length, checkedMap(realSize, parts, size - text.length));
  };
  const take = (bytes: Buffer): void => {
    let at = 0;
    while (!isRead && at < bytes.length) {
      const end = Math.min(bytes.length, at + BLOCK - (text.length % BLOCK));
      for (let place = at; place < end; place += 1) if (bytes[place] === NEWLINE) lines += 1;
      text += bytes.toString("latin1", at, end);
      at = end;
      if (text.length % BLOCK === 0 && lines > 0) readMap();
      if (!isRead && (text.length >= size || text.length > LONGEST)) throw tooLong();
    }
    if (at < bytes.length) rest?.(bytes.subarray(at));
  };
  if (size < BLOCK) throw invalidImage("the tar archive is broken: a map of holes is missing");
  return { size, sink: take };
}

const NEWLINE = 0x0a;

function numberOf(line: string): number {
  if (/^\d{1,16}$/.test(line)) return Number(line);
  throw invalidImage("the tar archive is broken: a map of holes is wrong");
}

function tooLong(): Error {
  return invalidImage("the tar archive is broken: a map of holes is too long, or cut off");
}
