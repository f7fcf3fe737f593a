import type { Readable } from "node:stream";

/** Collects what a stream gives, up to a number of bytes. */
export interface Capture {
  /** Resolves when the stream has ended or been cut. */
  readonly done: Promise<void>;
  closed(): boolean;
  /** Stops collecting although the stream is still open. */
  cut(): void;
  bytes(): Uint8Array;
}

/**
 * Starts to collect.
 *
 * @param onOverrun - Called once when there is more; what is over the limit is thrown away.
 */
export function capture(stream: Readable, limit: number, onOverrun: () => void): Capture {
  const chunks: Buffer[] = [];
  let left = limit;
  stream.on("data", (chunk: Buffer) => {
    if (chunk.length > left && left >= 0) {
      chunks.push(chunk.subarray(0, left));
      left = -1;
      onOverrun();
    } else if (left >= 0) {
      chunks.push(chunk);
      left -= chunk.length;
    }
  });
  return {
    done: closed(stream),
    closed: () => stream.closed,
    cut: () => stream.destroy(),
    bytes: () => new Uint8Array(Buffer.concat(chunks)),
  };
}

/** Resolves when a stream is closed, whether by an end, an error or a cut. */
function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    // A reset by a dying peer is an end like any other: what was read stays.
    stream.on("error", () => undefined).on("close", resolve);
  });
}
