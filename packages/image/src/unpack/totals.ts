import { invalidImage } from "../errors.js";

/** Counts what an image unpacks to, over all of its layers, and stops the unpacking when that is too much. */
export interface Totals {
  /** Counts an entry. @throws SandboxError `IMAGE_INVALID` when there are too many. */
  addEntry(): void;
  /**
   * Counts unpacked bytes.
   *
   * @throws SandboxError `IMAGE_INVALID` when they are too many, or too many for the size of the file.
   */
  addBytes(unpacked: number): void;
  /** Counts bytes that have been read. */
  addRead(bytes: number): void;
  /**
   * Counts all bytes of a file at once. From then on the ratio between unpacked and packed bytes is taken of the sizes of
   * such files, not of the bytes that have been read: those may come from a decompressed copy.
   */
  addFileSize(bytes: number): void;
  /** Forgets the entries and the unpacked bytes: they are counted once more. */
  restart(): void;
  readonly unpacked: number;
  readonly read: number;
}

/** The most bytes unless the caller sets another limit. */
const MAX_SIZE: number = 16 * 1024 ** 3;
const MAX_ENTRIES = 2_000_000;
/** Roots unpack to 2 to 5 times their compressed size. A file with more than this ratio is made to fill the disk. */
const MAX_RATIO = 200;
/** Up to so many unpacked bytes the ratio does not matter. */
const RATIO_FROM = 512 * 1024 ** 2;

/** The most bytes to which a file may unpack. */
export function maxUnpackedSize(size: number, maxSize: number = MAX_SIZE): number {
  return Math.min(maxSize, Math.max(RATIO_FROM, size * MAX_RATIO));
}

/**
 * Checks the bytes to which an image has unpacked.
 *
 * @throws SandboxError `IMAGE_INVALID` when they are too many.
 */
export function assertSize(unpacked: number, maxSize: number = MAX_SIZE): void {
  if (unpacked <= maxSize) return;
  throw invalidImage(
    `it unpacks to more than ${maxSize} bytes`,
    "If that is meant to be, allow more: --max-size, or the option maxSize.",
  );
}

/** Starts to count. The counting of bytes also throws the reason of the signal once that is aborted. */
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
      assertSize(totals.unpacked, maxSize);
      if (totals.unpacked > maxUnpackedSize(size ?? totals.read, maxSize))
        throw invalidImage(
          `it unpacks to more than ${MAX_RATIO} times its own size`,
          "It looks made to fill the disk. Unpack it by hand, and use the directory.",
        );
    },
    addRead(bytes) {
      totals.read += bytes;
    },
    addFileSize(bytes) {
      size = (size ?? 0) + bytes;
    },
    restart() {
      totals.entries = 0;
      totals.unpacked = 0;
    },
    get unpacked() {
      return totals.unpacked;
    },
    get read() {
      return totals.read;
    },
  };
}
