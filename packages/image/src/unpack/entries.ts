import { invalidImage } from "../errors.js";
import { type BlockReader, type Blocks, blocksFor, type Sink } from "./blocks.js";
import { type Extensions, longText, paxRecords } from "./extensions.js";
import { BODILESS, type Header, isChecksumRight, parseHeader } from "./header.js";
import { shownName } from "./names.js";
import { mapInBody, type OldMap, oldMap, paxMap } from "./sparse-maps.js";

/** Takes the entries of a tar archive. */
export interface EntryReader {
  /**
   * Takes the header of an entry, to which extended headers have been applied.
   *
   * @param extra - Whether the entry has file capabilities, see capabilities(7), or other extended attributes.
   * @returns what takes the body.
   */
  entry(header: Header, extra: Extra): Sink;
  /** Called after the body. */
  entryEnd(): void;
}

type Extra = Pick<Extensions, "capabilities" | "attributes">;
type Body = ReturnType<BlockReader["header"]>;

/** The most bytes of a pax header or a long name. */
const LARGEST_EXTENSION = 1024 * 1024;
/** The types of entries that are about the entries after them: pax headers, and the long names of GNU tar. */
const EXTENSIONS = new Set(["x", "X", "g", "L", "K"]);
const NOTHING: Body = { size: 0, sink: undefined };

/** Starts to parse an archive. Extended headers are applied to the headers that they extend. */
export function entriesOf(reader: EntryReader): Blocks {
  let global: Extensions = {};
  let long: Pick<Extensions, "path" | "linkpath"> = {};
  let next: Extensions = {};
  let extension: { readonly type: string; readonly parts: Buffer[] } | undefined;
  /** A file with holes in GNU tar's old form, of whose map more blocks follow. */
  let unfinished: { readonly map: OldMap; readonly begin: () => Body } | undefined;
  /** Whether the body belongs to an entry that the reader has taken. */
  let isEntry = false;

  const begin = (header: Header, extra: Extra): Body => {
    isEntry = true;
    return { size: header.size, sink: reader.entry(header, extra) };
  };
  const extend = (type: string, body: Buffer): void => {
    if (type === "g") global = { ...global, ...withoutNames(paxRecords(body)) };
    else if (type === "L") long = { ...long, path: longText(body) };
    else if (type === "K") long = { ...long, linkpath: longText(body) };
    // Of two pax headers in a row the second one counts, as for tar(1).
    else next = paxRecords(body);
  };
  const takeExtension = ({ type, size }: Header): Body => {
    if (size > LARGEST_EXTENSION)
      throw invalidImage(
        `it holds a header of ${size} bytes, and ${LARGEST_EXTENSION} is the most`,
      );
    const parts: Buffer[] = [];
    extension = { type, parts };
    return { size, sink: (bytes) => void parts.push(Buffer.from(bytes)) };
  };
  const takeEntry = (block: Buffer, read: Header): Body => {
    const extra = { ...long, ...next };
    long = {};
    next = {};
    // The name of a volume is no file.
    if (read.type === "V") return { size: read.size, sink: undefined };
    const header = extended(read, global, extra);
    if (read.type === "S") {
      const map = oldMap(block);
      const start = (): Body =>
        begin({ ...header, type: "0", sparse: map.checked(header.size) }, extra);
      if (map.isComplete()) return start();
      unfinished = { map, begin: start };
      return NOTHING;
    }
    if (extra.sparse?.isMapInBody !== true || header.type !== "0") return begin(header, extra);
    isEntry = true;
    return mapInBody(header.size, extra.sparse.realSize ?? 0, (size, sparse) =>
      reader.entry({ ...header, size, sparse }, extra),
    );
  };

  const blocks = blocksFor({
    header(block) {
      isEntry = false;
      if (unfinished !== undefined) {
        const { map, begin: start } = unfinished;
        map.add(block);
        if (!map.isComplete()) return NOTHING;
        unfinished = undefined;
        return start();
      }
      const header = parseHeader(block);
      return EXTENSIONS.has(header.type) ? takeExtension(header) : takeEntry(block, header);
    },
    bodyEnd() {
      if (extension !== undefined) {
        const { type, parts } = extension;
        extension = undefined;
        extend(type, Buffer.concat(parts));
      } else if (isEntry) reader.entryEnd();
    },
  });
  return {
    ...blocks,
    end() {
      if (unfinished !== undefined)
        throw invalidImage("the archive is cut off: it ends within a map of holes");
      return blocks.end();
    },
  };
}

/** Whether bytes are the start of a tar archive: a header, or a block of zeros when the archive has no entries. */
export function startsArchive(bytes: Buffer): boolean {
  const block = bytes.subarray(0, 512);
  return block.length === 512 && (isChecksumRight(block) || block.every((byte) => byte === 0));
}

/** Applies extended headers to a header. */
function extended(read: Header, global: Extensions, next: Extensions): Header {
  const all = { ...read, ...global, ...next };
  const { sparse } = next;
  const path = sparse?.name ?? next.path ?? read.path;
  const { mtime, uid, gid, linkpath } = all;
  const isFile = read.type === "0";
  const size = BODILESS.has(read.type) ? 0 : (next.size ?? read.size);
  if (!Number.isSafeInteger(size) || size < 0)
    throw invalidImage(`entry ${shownName(path)}: has a size that is no number`);
  return {
    // In old archives a directory is a file whose name ends with a slash, and GNU tar's lists of a directory are one.
    type: (isFile && path.endsWith("/")) || read.type === "D" ? "5" : read.type,
    path,
    linkpath,
    mode: read.mode,
    uid,
    gid,
    size,
    mtime,
    ...(isFile && sparse?.isMapInBody === false && { sparse: paxMap(sparse, size) }),
  };
}

/** A global header applies to all entries, so a name in it makes no sense and is ignored. */
function withoutNames({ mtime, uid, gid }: Extensions): Extensions {
  return {
    ...(mtime !== undefined && { mtime }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
}
