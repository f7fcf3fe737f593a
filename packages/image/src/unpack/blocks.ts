import { invalidImage } from "../errors.js";

/** Takes the bytes of an entry's body, in parts. It is undefined when the body is to be skipped. */
export type Sink = ((bytes: Buffer) => void) | undefined;

/** Takes the headers and bodies of a tar archive. */
export interface BlockReader {
  /** Takes a header. @returns the size of the body in bytes, without padding, and what takes the body. */
  header(block: Buffer): { readonly size: number; readonly sink: Sink };
  /** Called after the body, also after one that was skipped. */
  bodyEnd(): void;
}

/** Splits the bytes of an archive into headers and bodies. Bodies are passed on without being copied. */
export interface Blocks {
  /** Takes the next bytes. The reader gets parts of this buffer. @returns whether the archive has ended. */
  readonly write: (chunk: Buffer) => boolean;
  /** Skips the rest of a body that nothing takes, with its padding. @returns how many bytes the caller may leave out. */
  readonly skip: () => number;
  /**
   * Called after the last bytes.
   *
   * @returns whether there was an end mark. Some programs leave it out, and tar(1) does not miss it.
   * @throws SandboxError `IMAGE_INVALID` when the archive is cut off within an entry.
   */
  end(): boolean;
}

/** The bytes of a block, of which an archive consists. */
export const BLOCK = 512;

/** Starts to parse an archive. What follows its end is ignored. */
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
      if (!ended && (left > 0 || padding > 0 || filled > 0))
        throw invalidImage("the archive is cut off: it ends within an entry");
      return ended;
    },
  };
}
