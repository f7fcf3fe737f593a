import type { ImageOptions } from "./image.js";

/** Ten times a second. */
const PERIOD = 100;

/** Passes on how far the unpacking has come, at most once in a period. */
export function progressOf(tell: ImageOptions["onProgress"]): {
  readonly total: (bytes: number) => void;
  readonly onRead: (bytes: number) => void;
} {
  let total = 0;
  let last = 0;
  return {
    total(bytes) {
      total = bytes;
    },
    onRead(read) {
      const now = performance.now();
      if (tell === undefined || now - last < PERIOD) return;
      last = now;
      tell({ read, total });
    },
  };
}
