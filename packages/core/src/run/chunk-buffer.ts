/** Bytes that come in chunks. */
export interface ChunkBuffer {
  add(piece: Buffer): void;
  /** What has come, in order. */
  all(): readonly Buffer[];
}

/** In bytes: chunks below the first size are copied into blocks of the second. */
const [SMALL, BLOCK] = [1024, 8192] as const;

/**
 * Keeps chunks. Small ones are copied into a common block, because a Buffer of its own takes hundreds of bytes even for
 * one byte.
 */
export function chunkBuffer(): ChunkBuffer {
  const whole: Buffer[] = [];
  let block = Buffer.alloc(0);
  let [from, to] = [0, 0];
  const seal = (): void => {
    if (to > from) whole.push(block.subarray(from, to));
    from = to;
  };
  return {
    add(piece) {
      if (piece.length >= SMALL) {
        seal();
        whole.push(piece);
        return;
      }
      if (to + piece.length > block.length) {
        seal();
        block = Buffer.allocUnsafeSlow(BLOCK);
        [from, to] = [0, 0];
      }
      to += piece.copy(block, to);
    },
    all() {
      seal();
      return whole;
    },
  };
}
