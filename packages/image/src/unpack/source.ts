import { type FileHandle, open, stat } from "node:fs/promises";

/** A part of a file, or all of it, to be read from start to end any number of times. */
export interface Source {
  readonly size: number;
  read(): AsyncIterable<Buffer>;
}

const CHUNK = 1024 * 1024;

/** All of a file, in its present size. */
export async function fileSource(path: string): Promise<Source> {
  return sourceOf(path, 0, (await stat(path)).size);
}

/** A part of a file, from `start` on. */
export function sourceOf(path: string, start: number, size: number): Source {
  return { size, read: () => chunks(path, start, size) };
}

async function* chunks(
  path: string,
  start: number,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path);
  try {
    for (let at = start; at < start + size; ) {
      const chunk = await readAt(file, at, Math.min(CHUNK, start + size - at));
      if (chunk.length === 0) return;
      at += chunk.length;
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, at: number, size: number): Promise<Buffer> {
  // The caller keeps parts of it, so that each chunk needs a buffer of its own.
  const buffer = Buffer.allocUnsafeSlow(size);
  const { bytesRead } = await file.read(buffer, 0, size, at);
  return buffer.subarray(0, bytesRead);
}

/** The first bytes of a source, as many as there are. */
export async function startOf(source: Source, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let got = 0;
  for await (const chunk of source.read()) {
    parts.push(chunk);
    got += chunk.length;
    if (got >= size) break;
  }
  return Buffer.concat(parts).subarray(0, size);
}
