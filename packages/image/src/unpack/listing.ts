import { open } from "node:fs/promises";
import { invalidImage, shown } from "../invalid.js";
import { entriesOf } from "./entries.js";
import { plainPath } from "./entry.js";
import { type Source, sourceOf } from "./source.js";

/** The files of an archive that is not compressed, by their names. A link is another name for its target. */
export type Listing = ReadonlyMap<string, Source>;

/** An image has a few files for each of its layers, and far fewer than this. */
const MOST_ENTRIES = 100_000;
const BLOCK = 512;

/**
 * Lists an archive without reading what is in its files.
 *
 * @throws SandboxError `IMAGE_INVALID`
 */
export async function listingOf(path: string): Promise<Listing> {
  const files = new Map<string, Source>();
  const links: [string, string][] = [];
  let at = 0;
  let count = 0;
  const blocks = entriesOf({
    entry(header) {
      count += 1;
      if (count > MOST_ENTRIES) throw invalidImage(`it holds more than ${MOST_ENTRIES} files`);
      const name = plainPath(header.path ?? "");
      const { type, linkpath = "", size = 0 } = header;
      if (type === "File" || type === "OldFile") files.set(name, sourceOf(path, at, size));
      else if (type === "Link") links.push([name, plainPath(linkpath)]);
      // Older versions of `docker save` write a layer once when images share it, and symlinks to it.
      else if (type === "SymbolicLink") links.push([name, joined(name, linkpath)]);
      return undefined;
    },
    entryEnd: () => undefined,
  });
  const file = await open(path);
  try {
    const block = Buffer.alloc(BLOCK);
    for (;;) {
      at += blocks.skip();
      const { bytesRead } = await file.read(block, 0, BLOCK, at);
      if (bytesRead < BLOCK) break;
      at += BLOCK;
      if (blocks.write(block)) return linked(files, links);
    }
  } finally {
    await file.close();
  }
  blocks.end();
  return linked(files, links);
}

/** The path of a symlink's target in the archive. A target outside of it is no file of the archive. */
function joined(name: string, target: string): string {
  const parts = target.startsWith("/") ? [] : name.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function linked(files: Map<string, Source>, links: readonly [string, string][]): Listing {
  for (const [name, target] of links) {
    const source = files.get(target);
    if (source === undefined)
      throw invalidImage(`entry ${shown(name)}: links to ${shown(target)}, which is not there`);
    files.set(name, source);
  }
  return files;
}
