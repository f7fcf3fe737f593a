import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";

/** A stream of bytes for a program: Node's, the web's, or whatever gives bytes or strings, which are UTF-8, one by one. */
export type InputSource = AsyncIterable<string | Uint8Array>;

/** A source that is being read. */
export interface Input {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Lets the source go at once, also while it is asked for more; nothing that it says to that is of interest. */
  cancel(): void;
}

/** Begins to read a source; what is wrong with it rejects the first `next`. */
export function openInput(source: InputSource): Input {
  try {
    if (source instanceof ReadableStream) return openWeb(source);
    const iterator = source[Symbol.asyncIterator]();
    // Its iterator would destroy it too, but not while it waits.
    if (source instanceof Readable) source.on("error", () => undefined);
    return {
      next: () => iterator.next(),
      cancel() {
        if (source instanceof Readable) source.destroy();
        else quietly(() => iterator.return?.());
      },
    };
  } catch (error) {
    return { next: () => Promise.reject(error as Error), cancel: () => undefined };
  }
}

function openWeb(source: ReadableStream): Input {
  const reader = source.getReader();
  return { next: () => reader.read(), cancel: () => quietly(() => reader.cancel()) };
}

function quietly(act: () => PromiseLike<unknown> | undefined): void {
  try {
    Promise.resolve(act()).catch(() => undefined);
  } catch {
    // An iterator of somebody's own need not give a promise.
  }
}
