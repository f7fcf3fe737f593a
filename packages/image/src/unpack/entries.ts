import { Header } from "tar/header";
import { invalidImage, shown } from "../invalid.js";
import { type Blocks, blocksFor, type Sink } from "./blocks.js";
import { type Extensions, longText, paxRecords } from "./extensions.js";

/** Who is told of the entries of an archive. */
export interface EntryReader {
  /**
   * The header of an entry, with what its extensions say. Gives who gets the body.
   *
   * @param extra - Whether it comes with capabilities of its own, see capabilities(7), and with other attributes.
   */
  entry(header: Header, extra: Pick<Extensions, "powers" | "attributes">): Sink;
  /** Its body is over. */
  entryEnd(): void;
}

/** A pax header or a long name. */
const LARGEST_EXTENSION = 1024 * 1024;
const EXTENSIONS = new Set(["x", "X", "g", "L", "K"]);

/** The entries of an archive that is written to it, with the records that extend their headers put where they belong. */
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

/** Whether bytes begin as a tar archive does: with a header, or with the end of one without entries. */
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
  // The library adds the header's own prefix to a name that is not the header's, and takes no target but the header's.
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
    return new Header(block, 0, dated(next), dated(global));
  } catch (cause) {
    throw invalidImage("the tar archive is broken: a number is wrong", undefined, cause);
  }
}

function dated(of: Extensions | undefined): object | undefined {
  return of?.mtime === undefined ? of : { ...of, mtime: new Date(of.mtime * 1000) };
}

/** A global header names no single file. */
function withoutNames({ mtime, uid, gid }: Extensions): Extensions {
  return {
    ...(mtime !== undefined && { mtime }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
}
