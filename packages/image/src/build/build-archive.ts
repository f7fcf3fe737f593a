import { writeArchive } from "./archive.js";
import { written } from "./output.js";
import { entriesOf, type Written } from "./tree.js";

/** What an archive is made of. Each is named as in the archive, and read from a path of the host. */
export interface ArchiveFiles {
  /** The first entry. Its size in bytes must not change. */
  readonly file: { readonly name: string; readonly from: string; readonly size: number };
  /** What follows: a directory and all that it holds. */
  readonly directory: { readonly name: string; readonly from: string };
}

/**
 * Makes a tar archive that is compressed with gzip. The same files give the same archive.
 *
 * @param to - The file to write; it is replaced when the archive is complete.
 * @returns the SHA-512 of the archive without its compression, in hex.
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function buildArchive(to: string, { file, directory }: ArchiveFiles): Promise<string> {
  return written(to, async ({ path, own }) => {
    const first: Written = {
      entry: { ...COMMON, path: file.name, size: file.size },
      from: file.from,
    };
    const rest = entriesOf(directory.from, { prefix: directory.name, without: own });
    const { sha512 } = await writeArchive([first, ...rest], path, { gzip: true });
    return sha512;
  });
}

const COMMON = { type: "file", target: "", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
