/** Bytes that come in pieces. */
export interface Pieces {
  add(piece: Buffer): void;
  /** What has come, in order. */
  all(): readonly Buffer[];
}

/** Bytes: below which size a piece is copied, and into blocks of which size. */
const [SMALL, BLOCK] = [1024, 8192] as const;

/** Keeps pieces. Small ones are put together: one byte that is a Buffer of its own takes as much memory as hundreds. */
export function pieces(): Pieces {
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
