import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { changed } from "../errors.js";
import { startHelper } from "./helper.js";

/** Bytes that can be read from start to end, any number of times: a file, a part of one, or what a program writes. */
export interface Source {
  /** How many bytes there are; for a program, the bytes of the file that it reads. */
  readonly size: number;
  read(): AsyncIterable<Buffer>;
}

const CHUNK = 1024 * 1024;

/** All bytes of a file, of the size that it has now. */
export async function fileSource(path: string): Promise<Source> {
  return sourceOf(path, 0, (await stat(path)).size);
}

/** The bytes of a file from `start` on. @param inode - See {@link openFile}. */
export function sourceOf(path: string, start: number, size: number, inode?: Inode): Source {
  return { size, read: () => chunks(path, start, size, inode) };
}

/** Which file it is, of those of this host that there are now. */
export interface Inode {
  readonly dev: number;
  readonly ino: number;
}

/** Whether two are the same file. */
export function isInode(one: Inode, other: Inode): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/**
 * Opens a file to read. Should it have become a FIFO meanwhile, this does not wait for a writer.
 *
 * @param inode - The file that was found there. It has to be this one still: a symlink in its place, or in that of a
 *   directory above it, would lead to a file that is not to be read.
 * @throws SandboxError `IMAGE_INVALID` for another file.
 */
export async function openFile(path: string, inode?: Inode): Promise<FileHandle> {
  const follow = inode === undefined ? 0 : constants.O_NOFOLLOW;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | follow);
  if (inode === undefined || isInode(await file.stat(), inode)) return file;
  await file.close();
  throw changed(path);
}

async function* chunks(
  path: string,
  start: number,
  size: number,
  inode: Inode | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await openFile(path, inode);
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
  // Readers keep parts of a chunk, so each one needs a buffer of its own.
  const buffer = Buffer.allocUnsafeSlow(size);
  const { bytesRead } = await file.read(buffer, 0, size, at);
  return buffer.subarray(0, bytesRead);
}

/** Reads the first `size` bytes of a source, or all when there are fewer. */
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

/** Computes the SHA-256 of a source, in hex. */
export async function fileHash(source: Source): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of source.read()) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * What a tool of the host writes to its standard output. The tool runs in a sandbox in which it can write no files.
 *
 * @param reads - The file or directory that the tool reads.
 * @param size - The bytes of the image file.
 */
export function programSource(
  argv: readonly [string, ...string[]],
  reads: string,
  size: number,
): Source {
  return { size, read: () => outputOf(argv, reads) };
}

async function* outputOf(
  argv: readonly [string, ...string[]],
  reads: string,
): AsyncGenerator<Buffer, void, undefined> {
  const helper = await startHelper(argv, { reads });
  const { stdin, stdout } = helper.child;
  stdin?.end();
  if (stdout === null) throw new TypeError("the helper has no pipes");
  try {
    for await (const chunk of stdout) yield chunk as Buffer;
  } finally {
    if (!stdout.readableEnded) helper.child.kill("SIGKILL");
  }
  await helper.done();
}
