import { Header } from "tar/header";
import { invalidImage, shown } from "../invalid.js";
import { type Blocks, blocksFor, type Sink } from "./blocks.js";
import { type Extensions, longText, paxRecords } from "./extensions.js";

/** Takes the entries of an archive. */
export interface EntryReader {
  /**
   * Takes the header of an entry, in which its extensions are applied. @returns what takes its body.
   *
   * @param extra - Whether the entry has file capabilities, see capabilities(7), and other extended attributes.
   */
  entry(header: Header, extra: Pick<Extensions, "powers" | "attributes">): Sink;
  /** Called after the body. */
  entryEnd(): void;
}

/** The largest pax header or long name in bytes. */
const LARGEST_EXTENSION = 1024 * 1024;
const EXTENSIONS = new Set(["x", "X", "g", "L", "K"]);

/** Parses the entries of an archive that is written to it. Extended headers are applied to the headers that they extend. */
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

/** Whether bytes begin as a tar archive does: with a header, or with a block of zeros when it has no entries. */
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
  // The library would add the prefix of the header to a name from an extension, and ignore a target from an extension.
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

/** A global header is about all files, so a name in it has no meaning. */
function withoutNames({ mtime, uid, gid }: Extensions): Extensions {
  return {
    ...(mtime !== undefined && { mtime }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
}
