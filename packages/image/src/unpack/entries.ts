import { Header } from "tar/header";
import { invalidImage, shown } from "../errors.js";
import { type Blocks, blocksFor, type Sink } from "./blocks.js";
import { type Extensions, longText, paxRecords } from "./extensions.js";

/** Takes the entries of a tar archive. */
export interface EntryReader {
  /**
   * Takes the header of an entry, to which extended headers have been applied.
   *
   * @param extra - Whether the entry has file capabilities, see capabilities(7), or other extended attributes.
   * @returns what takes the body.
   */
  entry(header: Header, extra: Pick<Extensions, "capabilities" | "attributes">): Sink;
  /** Called after the body. */
  entryEnd(): void;
}

/** The most bytes of a pax header or a long name. */
const LARGEST_EXTENSION = 1024 * 1024;
/** The types of entries that are about the entries after them: pax headers, and the long names of GNU tar. */
const EXTENSIONS = new Set(["x", "X", "g", "L", "K"]);

/** Starts to parse an archive. Extended headers are applied to the headers that they extend. */
export function entriesOf(reader: EntryReader): Blocks {
  let global: Extensions | undefined;
  let next: Extensions | undefined;
  let extension: string | undefined;
  let parts: Buffer[] = [];

  const extend = (type: string, body: Buffer): void => {
    if (type === "g") global = { ...global, ...withoutNames(paxRecords(body)) };
    else if (type === "L") next = { ...next, path: longText(body) };
    else if (type === "K") next = { ...next, linkpath: longText(body) };
    else next = { ...next, ...paxRecords(body) };
  };

  return blocksFor({
    header(block) {
      const header = headerOf(block, global, next);
      const size = header.size ?? 0;
      if (EXTENSIONS.has(header.typeKey)) {
        if (size > LARGEST_EXTENSION)
          throw invalidImage(
            `it holds a header of ${size} bytes, and ${LARGEST_EXTENSION} is the most`,
          );
        extension = header.typeKey;
        parts = [];
        return { size, sink: (bytes) => void parts.push(Buffer.from(bytes)) };
      }
      const extra = next ?? {};
      next = undefined;
      return { size, sink: reader.entry(header, extra) };
    },
    bodyEnd() {
      const type = extension;
      extension = undefined;
      if (type === undefined) reader.entryEnd();
      else extend(type, Buffer.concat(parts));
    },
  });
}

/** Whether bytes are the start of a tar archive: a header, or a block of zeros when the archive has no entries. */
export function startsArchive(bytes: Buffer): boolean {
  try {
    const { cksumValid, nullBlock } = new Header(bytes, 0);
    return cksumValid || nullBlock;
  } catch {
    return false;
  }
}

function headerOf(
  block: Buffer,
  global: Extensions | undefined,
  next: Extensions | undefined,
): Header {
  const header = read(block, next, global);
  if (!header.cksumValid) throw invalidImage("the tar archive is broken: a checksum is wrong");
  // The library would put the header's prefix before a name from an extension, and ignore a link target from an
  // extension.
  if (!EXTENSIONS.has(header.typeKey)) {
    header.path = next?.path ?? header.path ?? "";
    header.linkpath = next?.linkpath ?? header.linkpath ?? "";
  }
  const { size } = header;
  if (size === undefined || !Number.isSafeInteger(size) || size < 0)
    throw invalidImage(`entry ${shown(header.path ?? "")}: has a size that is no number`);
  return header;
}

function read(block: Buffer, next: Extensions | undefined, global: Extensions | undefined): Header {
  try {
    return new Header(block, 0, withDate(next), withDate(global));
  } catch (cause) {
    throw invalidImage("the tar archive is broken: a number is wrong", undefined, cause);
  }
}

function withDate(of: Extensions | undefined): object | undefined {
  return of?.mtime === undefined ? of : { ...of, mtime: new Date(of.mtime * 1000) };
}

/** A global header applies to all entries, so a name in it makes no sense and is ignored. */
function withoutNames({ mtime, uid, gid }: Extensions): Extensions {
  return {
    ...(mtime !== undefined && { mtime }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
}
