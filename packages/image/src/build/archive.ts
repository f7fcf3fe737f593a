import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { checkKind, checkKinds, KINDS, type Kind } from "@sandboxlib/core/internal";
import { changed, shown } from "../errors.js";
import type { Progress } from "../image.js";
import { encodeEntry } from "../unpack/entry.js";
import { type Inode, sourceOf } from "../unpack/source.js";
import { entriesOf, type FileEntry } from "./files.js";
import { holesIn } from "./holes.js";
import { replaceFile } from "./output.js";

/** What the caller is told while an image is made. */
export interface BuildReport {
  /** Called with one line for each kind of thing that is left out. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Called when bytes of files have been read. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Stops the work. What has been written is removed, and the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks the paths and the report of a build, before any of its work.
 *
 * @throws SandboxError `CONFIG_INVALID`, and the reason of a signal that has been aborted.
 */
export function checkBuild(directory: string, file: string, report: BuildReport): void {
  checkKind("directory", directory, KINDS.path);
  checkKind("file", file, KINDS.path);
  checkKinds<BuildReport>(report, REPORT);
  report.signal?.throwIfAborted();
}

/** What the options of a report are. */
export const REPORT: Readonly<Record<keyof BuildReport, Kind>> = {
  onNote: KINDS.function,
  onProgress: KINDS.function,
  signal: KINDS.signal,
};

/** Counts the devices and sockets that are left out, for one note about all of them. */
export function leftOutNote({ onNote }: BuildReport): {
  readonly add: (path: string) => void;
  readonly tell: () => void;
} {
  const paths: string[] = [];
  return {
    add: (path) => void paths.push(path),
    tell() {
      const [first] = paths;
      if (first === undefined) return;
      onNote?.(`left out devices and sockets (${paths.length}), such as ${shown(first)}`);
    },
  };
}

/** What an archive is made of. Each part has its name in the archive, and the path on the host from which it is read. */
export interface ArchiveFiles {
  /** The first entry. Neither its size in bytes nor which file it is must change. */
  readonly file: {
    readonly name: string;
    readonly from: string;
    readonly size: number;
    readonly inode: Inode;
  };
  /** The directory that follows with everything in it. */
  readonly directory: { readonly name: string; readonly from: string };
}

/**
 * Makes a tar archive that is compressed with gzip. The same files give the same archive.
 *
 * @param to - The file to write. One that is there is replaced when the archive is complete.
 * @returns the SHA-512 of the archive without its compression, in hex.
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function buildArchive(
  to: string,
  { file, directory }: ArchiveFiles,
  report: BuildReport = {},
): Promise<string> {
  return replaceFile(to, async ({ path, exclude }) => {
    const first: FileEntry = {
      entry: { ...COMMON, path: file.name, size: file.size },
      from: file.from,
      inode: file.inode,
    };
    const leftOut = leftOutNote(report);
    const rest = entriesOf(directory.from, {
      prefix: directory.name,
      exclude,
      onLeftOut: leftOut.add,
    });
    leftOut.tell();
    const { sha512 } = await writeArchive([first, ...rest], path, { gzip: true, ...report });
    return sha512;
  });
}

const COMMON = { type: "file", target: "", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;

/** The digests of an archive without its compression, in hex. */
export interface Digests {
  readonly sha256: string;
  readonly sha512: string;
}

/** Writes a tar archive to a file. With gzip it is of a root, in which large files keep their holes. */
export async function writeArchive(
  entries: readonly FileEntry[],
  file: string,
  { gzip, onProgress, signal }: { readonly gzip: boolean } & BuildReport,
): Promise<Digests> {
  const hashes = [createHash("sha256"), createHash("sha512")] as const;
  async function* hashed(): AsyncGenerator<Buffer, void, undefined> {
    const total = entries.reduce((sum, { entry }) => sum + entry.size, 0);
    let read = 0;
    for await (const bytes of bytesOf(entries, gzip)) {
      signal?.throwIfAborted();
      read += bytes.length;
      onProgress?.({ read: Math.min(read, total), total });
      for (const hash of hashes) hash.update(bytes);
      yield bytes;
    }
  }
  const to = createWriteStream(file);
  const from = Readable.from(hashed());
  await (gzip ? pipeline(from, createGzip(), to) : pipeline(from, to));
  const [sha256, sha512] = hashes.map((hash) => hash.digest("hex")) as [string, string];
  return { sha256, sha512 };
}

const BLOCK = 512;

async function* bytesOf(
  entries: readonly FileEntry[],
  leaveOutHoles: boolean,
): AsyncGenerator<Buffer, void, undefined> {
  for (const { entry, from, inode } of entries) {
    const sparse =
      from === undefined || !leaveOutHoles ? undefined : await holesIn(from, entry.size, inode);
    const parts = sparse?.parts ?? [[0, entry.size]];
    const size = parts.reduce((sum, [, length]) => sum + length, 0);
    yield* encodeEntry({ ...entry, size, sparse });
    if (from === undefined || size === 0) continue;
    let left = size;
    for (const [offset, length] of parts)
      for await (const chunk of sourceOf(from, offset, length, inode).read()) {
        left -= chunk.length;
        yield chunk;
      }
    if (left !== 0) throw changed(from);
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}
