import { createGunzip } from "node:zlib";
import { invalidImage } from "../errors.js";
import { startHelper } from "./helper.js";

/** How a stream is compressed. Except for `none` and `gzip`, it is also the name of the program that decompresses it. */
export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

/** Tells how a stream is compressed by its first bytes, of which six are enough. */
export function compressionOf(start: Buffer): Compression {
  const found = MAGIC.find(([, magic]) => start.subarray(0, magic.length).equals(magic));
  return found?.[0] ?? (isSkippable(start) ? "zstd" : "none");
}

/** Whether zstd data begins with a frame that holds no data, which pzstd and others write. */
function isSkippable(start: Buffer): boolean {
  return ((start[0] ?? 0) & 0xf0) === 0x50 && start.subarray(1, 4).equals(SKIPPABLE);
}

const SKIPPABLE = Buffer.from([0x2a, 0x4d, 0x18]);

const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ["gzip", Buffer.from([0x1f, 0x8b])],
  ["bzip2", Buffer.from("BZh")],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];

/**
 * Decompresses a stream.
 *
 * @throws SandboxError `IMAGE_INVALID` while it is read, when it is broken or cut off.
 */
export async function* decompressed(
  source: AsyncIterable<Buffer>,
  compression: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  if (compression === "none") yield* source;
  else if (compression === "gzip") yield* gunzipped(source);
  else yield* byProgram(source, compression);
}

const CHUNK = 256 * 1024;

async function* gunzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  const pumped = pump(source, gunzip);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    await rethrow(pumped);
    const why = error instanceof Error ? error.message : String(error);
    throw invalidImage(`gzip data is broken or cut off: ${why}`, undefined, error);
  } finally {
    gunzip.destroy();
  }
  await rethrow(pumped);
}

async function* byProgram(
  source: AsyncIterable<Buffer>,
  compression: Exclude<Compression, "none" | "gzip">,
): AsyncGenerator<Buffer, void, undefined> {
  // Without a limit a hostile file makes xz(1) take as much memory as it likes.
  const args = compression === "xz" ? ["-dc", "--memlimit-decompress=256MiB"] : ["-dc"];
  const helper = await startHelper([compression, ...args]);
  const { stdin, stdout } = helper.child;
  if (stdin === null || stdout === null) throw new TypeError("the helper has no pipes");
  const pumped = pump(source, stdin);
  try {
    for await (const chunk of stdout) yield chunk as Buffer;
  } finally {
    // The caller may stop reading before the end.
    if (!stdout.readableEnded) helper.child.kill("SIGKILL");
  }
  await helper.done();
  await rethrow(pumped);
}

/** Writes a source to a stream. @returns the error with which the source failed; undefined when it did not. */
async function pump(
  source: AsyncIterable<Buffer>,
  to: NodeJS.WritableStream & { readonly destroyed?: boolean; destroy?(error?: Error): unknown },
): Promise<Error | undefined> {
  let closed = false;
  to.on("close", () => {
    closed = true;
  });
  try {
    for await (const chunk of source) {
      if (closed || to.destroyed === true) return undefined;
      if (!to.write(chunk)) await drained(to);
    }
    to.end();
    return undefined;
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    to.destroy?.(cause);
    return cause;
  }
}

/**
 * Waits until a stream can take more bytes. The wait also ends when the stream is closed or fails, since it then never
 * can.
 */
export function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of EVENTS) stream.off(event, done);
      resolve();
    };
    for (const event of EVENTS) stream.on(event, done);
  });
}

const EVENTS = ["drain", "close", "error"] as const;

async function rethrow(pumped: Promise<Error | undefined>): Promise<void> {
  const error = await pumped;
  if (error !== undefined) throw error;
}
