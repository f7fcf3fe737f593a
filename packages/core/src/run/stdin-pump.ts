import { Readable, type Writable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { SandboxError } from "../result/error.js";
import type { InputSource, StdinOption } from "./options.js";

/**
 * Writes what the options give into the program's standard input, no faster than it is read. A program that does not
 * read all of it is no failure; a source is destroyed then, as when the run is over.
 *
 * @param onFailure - Called once when the source fails, with `STREAM_FAILED`.
 * @returns A function that closes the source, for the end of the run.
 */
export function pumpStdin(
  stdin: Writable | null,
  option: StdinOption | undefined,
  onFailure: (error: SandboxError) => void,
): () => void {
  // The program may close its end, or end, while something is being written.
  stdin?.on("error", () => undefined);
  if (stdin === null) return () => undefined;
  if (typeof option !== "object") {
    if (option !== "pipe") stdin.end();
    return () => undefined;
  }
  if ("data" in option) stdin.end(option.data);
  return "stream" in option ? pump(stdin, option.stream, onFailure) : () => undefined;
}

function pump(
  stdin: Writable,
  source: InputSource,
  onFailure: (error: SandboxError) => void,
): () => void {
  const input = openInput(source);
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    input.cancel();
  };
  stdin.on("close", end);
  const write = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await input.next();
      if (isOver) return;
      if (done === true) {
        stdin.end();
        return;
      }
      if (!stdin.write(bytes(value))) await room(stdin);
    }
  };
  write().catch((cause: unknown) => {
    if (isOver) return;
    end();
    onFailure(failure(cause));
  });
  return end;
}

/** @throws TypeError for what no pipe can carry. */
function bytes(chunk: unknown): string | Uint8Array {
  if (typeof chunk === "string" || chunk instanceof Uint8Array) return chunk;
  throw new TypeError(`it gave neither a string nor bytes, but ${typeof chunk}`);
}

/** Resolves when the pipe takes more, or is closed. */
function room(stdin: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stdin.closed) return resolve();
    const settle = (): void => {
      stdin.off("drain", settle).off("close", settle);
      resolve();
    };
    stdin.on("drain", settle).on("close", settle);
  });
}

function failure(cause: unknown): SandboxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError(
    "STREAM_FAILED",
    `stdin: the stream that feeds the program has failed: ${reason}`,
    {
      path: "stdin",
      hint: "The program has been ended: it would have taken the rest for all.",
      cause,
    },
  );
}

/** A source that is being read. */
interface Input {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Closes the source at once, also while a `next` is pending. What it answers to that is ignored. */
  cancel(): void;
}

/** Begins to read a source. If it cannot be read, the first `next` rejects. */
function openInput(source: InputSource): Input {
  try {
    if (source instanceof globalThis.ReadableStream) return openWeb(source);
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
