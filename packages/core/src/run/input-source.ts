import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";

/** A stream of bytes for a program: Node's, the web's, or whatever gives bytes or strings, which are UTF-8, one by one. */
export type InputSource = AsyncIterable<string | Uint8Array>;

/** A source that is being read. */
export interface Input {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Closes the source at once, also while a `next` is pending. What it answers to that is ignored. */
  cancel(): void;
}

/** Begins to read a source. If it cannot be read, the first `next` rejects. */
export function openInput(source: InputSource): Input {
  try {
    if (source instanceof ReadableStream) return openWeb(source);
    const iterator = source[Symbol.asyncIterator]();
    // The iterator of a Readable destroys it on return, but not while it waits for data, so `cancel` does that itself.
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
    // A caller's own iterator may throw, or answer with something that is no promise.
  }
}
