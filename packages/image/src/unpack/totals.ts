import { invalidImage } from "../invalid.js";

/** What an image may come to, over all of its layers. */
export interface Totals {
  /** @throws SandboxError `IMAGE_INVALID` when there are too many. */
  addEntry(): void;
  /** @throws SandboxError `IMAGE_INVALID` when they are too many, or too many for what they were made of. */
  addBytes(unpacked: number): void;
  /** Bytes that have been read. */
  addRead(bytes: number): void;
  /** All of a file of so many bytes has been used: what is read from now on was made of it, and counts for nothing. */
  madeOf(bytes: number): void;
  readonly unpacked: number;
  readonly read: number;
}

/** Unless the caller says otherwise. */
const MAX_SIZE: number = 16 * 1024 ** 3;
const MAX_ENTRIES = 2_000_000;
/** Roots come to 2 to 5 times what they are compressed; more than this is a bomb, once it is worth looking. */
const MAX_RATIO = 200;
const RATIO_FROM = 512 * 1024 ** 2;

/** The most that a file of some size may unpack to. */
export function mostOf(size: number, maxSize: number = MAX_SIZE): number {
  return Math.min(maxSize, Math.max(RATIO_FROM, size * MAX_RATIO));
}

/** Counts what an image comes to, and ends it when that is too much, or when a signal says so. */
export function totalsOf(maxSize: number = MAX_SIZE, signal?: AbortSignal): Totals {
  const totals = { entries: 0, unpacked: 0, read: 0 };
  let size: number | undefined;
  return {
    addEntry() {
      totals.entries += 1;
      if (totals.entries > MAX_ENTRIES)
        throw invalidImage(`it holds more than ${MAX_ENTRIES} files`);
    },
    addBytes(unpacked) {
      signal?.throwIfAborted();
      totals.unpacked += unpacked;
      if (totals.unpacked > maxSize)
        throw invalidImage(
          `it unpacks to more than ${maxSize} bytes`,
          "If that is meant to be, allow more: --max-size, or the option maxSize.",
        );
      if (totals.unpacked > mostOf(size ?? totals.read, maxSize))
        throw invalidImage(
          `it unpacks to more than ${MAX_RATIO} times its own size`,
          "It looks made to fill the disk. Unpack it by hand, and use the directory.",
        );
    },
    addRead(bytes) {
      totals.read += bytes;
    },
    madeOf(bytes) {
      size = (size ?? 0) + bytes;
    },
    get unpacked() {
      return totals.unpacked;
    },
    get read() {
      return totals.read;
    },
  };
}
