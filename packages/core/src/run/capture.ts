import type { Readable } from "node:stream";
import { chunkBuffer } from "./chunk-buffer.js";

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
  const kept = chunkBuffer();
  let left = limit;
  stream.on("data", (chunk: Buffer) => {
    if (chunk.length > left && left >= 0) {
      kept.add(chunk.subarray(0, left));
      left = -1;
      onOverrun();
    } else if (left >= 0) {
      kept.add(chunk);
      left -= chunk.length;
    }
  });
  return {
    done: closed(stream),
    closed: () => stream.closed,
    cut: () => stream.destroy(),
    bytes: () => joined(kept.all()),
  };
}

/** A plain view where it can be: two copies of a big output take longer than it took to come. */
function joined(chunks: readonly Buffer[]): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.concat(chunks);
  // A small one lies in a pool that others share.
  return byteLength === buffer.byteLength
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Resolves when a stream is closed, whether by an end, an error or a cut. */
function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    // A reset by a dying peer is an end like any other: what was read stays.
    stream.on("error", () => undefined).on("close", resolve);
  });
}
