import type { Readable } from "node:stream";
import type { Streams } from "../backend/running.js";
import type { Exceeded } from "../result/result.js";
import type { RunOptions } from "./options.js";

/** Everything that is captured of a run. */
export interface Captures {
  /** The first limit that was exceeded. */
  readonly overrun: () => Exceeded | undefined;
  /** What standard output and standard error came to, once the run is over. */
  readonly drained: () => Promise<[Uint8Array | undefined, Uint8Array | undefined]>;
  /** Closes what is still open. */
  readonly cut: () => void;
}

const DEFAULT_MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * Starts to capture what the options say.
 *
 * @param onOverrun - Called when an output has more bytes than are to be captured.
 */
export function startCaptures(
  streams: Streams,
  { stdout, stderr, maxOutput = DEFAULT_MAX_OUTPUT }: RunOptions,
  onOverrun: (limit: Exceeded) => void,
): Captures {
  let overrun: Exceeded | undefined;
  const start = (
    limit: "stdout" | "stderr",
    option = "capture" as unknown,
  ): Capture | undefined => {
    const stream = streams[limit];
    if (option !== "capture" || stream === null) return undefined;
    return capture(stream, maxOutput, () => {
      overrun ??= { limit, bytes: maxOutput };
      onOverrun(overrun);
    });
  };
  const captured = [start("stdout", stdout), start("stderr", stderr)] as const;
  return {
    overrun: () => overrun,
    drained: () => Promise.all([drained(captured[0]), drained(captured[1])]),
    cut() {
      for (const each of captured) each?.cut();
    },
  };
}

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

/** Returns a view of the bytes without a copy where it can: to copy a big output takes longer than to read it. */
function joined(chunks: readonly Buffer[]): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.concat(chunks);
  // Node keeps small buffers in a pool, whose rest belongs to others.
  return byteLength === buffer.byteLength
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Resolves when a stream is closed, whether by an end, an error or a cut. */
function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    // A dying program may reset the connection. What was read until then counts.
    stream.on("error", () => undefined).on("close", resolve);
  });
}

const STEP = 100;
const STEPS = 20;

/**
 * What was captured, once the run is over. Where a backend cannot kill every process, one that is left may keep the pipe
 * open, so this waits for the rest for two seconds at most. It waits in short steps, because Node reads between them: if
 * this process was busy, a single timer would fire before anything was read.
 */
async function drained(captured: Capture | undefined): Promise<Uint8Array | undefined> {
  for (let step = 0; step < STEPS && captured?.closed() === false; step += 1)
    await orLater(captured.done, STEP);
  if (captured?.closed() === false) captured.cut();
  await captured?.done;
  return captured?.bytes();
}

/** Waits for it, or until the time is over. No timer is left, which would keep this process alive. */
export function orLater(done: Promise<void>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    void done.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

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
