import { invalidImage } from "../invalid.js";

/** What to do with the body of an entry: give it to somebody, or leave it out. */
export type Sink = ((bytes: Buffer) => void) | undefined;

/** Who is told what a tar archive is made of. */
export interface BlockReader {
  /** A header, not of zeros. Says how many bytes follow, without padding, and who gets them. */
  header(block: Buffer): { readonly size: number; readonly sink: Sink };
  /** The body, as far as it goes to somebody, is over. */
  bodyEnd(): void;
}

/** Cuts a stream of chunks into the blocks of a tar archive, without copying what lies in the middle of a chunk. */
export interface Blocks {
  /** Pieces of the chunk are handed on as they are. True when the archive has ended. */
  readonly write: (chunk: Buffer) => boolean;
  /** Leaves out what comes next as far as nobody wants it: how many bytes were not to be written after all. */
  readonly skip: () => number;
  /** @throws SandboxError `IMAGE_INVALID` when it is cut off. */
  end(): void;
}

const BLOCK = 512;

/** The blocks of one archive. What follows its end is not looked at. */
export function blocksFor(reader: BlockReader): Blocks {
  const head = Buffer.alloc(BLOCK);
  let filled = 0;
  let left = 0;
  let padding = 0;
  let sink: Sink;
  let ended = false;

  const takeHeader = (block: Buffer): void => {
    if (block.every((byte) => byte === 0)) {
      ended = true;
      return;
    }
    const body = reader.header(block);
    left = body.size;
    padding = (BLOCK - (left % BLOCK)) % BLOCK;
    sink = body.sink;
    if (left === 0) reader.bodyEnd();
  };

  const takeBody = (chunk: Buffer, at: number): number => {
    const size = Math.min(left, chunk.length - at);
    sink?.(chunk.subarray(at, at + size));
    left -= size;
    if (left === 0) reader.bodyEnd();
    return at + size;
  };

  return {
    write(chunk) {
      for (let at = 0; at < chunk.length && !ended; ) {
        if (left > 0) {
          at = takeBody(chunk, at);
        } else if (padding > 0) {
          const size = Math.min(padding, chunk.length - at);
          padding -= size;
          at += size;
        } else if (filled === 0 && chunk.length - at >= BLOCK) {
          takeHeader(chunk.subarray(at, at + BLOCK));
          at += BLOCK;
        } else {
          const size = Math.min(BLOCK - filled, chunk.length - at);
          chunk.copy(head, filled, at, at + size);
          filled += size;
          at += size;
          if (filled < BLOCK) continue;
          filled = 0;
          takeHeader(head);
        }
      }
      return ended;
    },
    skip() {
      if (sink !== undefined && left > 0) return 0;
      const skipped = left + padding;
      if (left > 0) {
        left = 0;
        reader.bodyEnd();
      }
      padding = 0;
      return skipped;
    },
    end() {
      if (!ended) throw invalidImage("the archive is cut off: it ends without its end mark");
    },
  };
}
