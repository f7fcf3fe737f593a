import { invalidImage } from "../errors.js";
import { MOST_PARTS, type Part } from "./sparse.js";

/** What extended headers say of the entry after them: pax headers, and the long names of GNU tar. Names are as in `names.ts`. */
export interface Extensions {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  readonly mtime?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Whether the file has capabilities, see capabilities(7). */
  readonly capabilities?: true;
  /** Whether the file has other extended attributes or an access control list. */
  readonly attributes?: true;
  readonly sparse?: PaxSparse;
}

/** What GNU tar's pax records say of a file with holes. There are three forms: in the last one the body begins with the map. */
export interface PaxSparse {
  readonly isMapInBody: boolean;
  /** The name of the file; the header then has a made-up one. */
  readonly name: string | undefined;
  readonly realSize: number | undefined;
  /** The map, unless it is in the body. */
  readonly parts: readonly Part[];
}

const NUMBERS = new Set(["size", "mtime", "uid", "gid"]);

/**
 * Parses the records of a pax header, pax(1). Where two have the same key, the last one counts. One without a value takes
 * back those before it.
 *
 * @throws SandboxError `IMAGE_INVALID` for a record that is broken.
 */
export function paxRecords(bytes: Buffer): Extensions {
  const found: Record<string, string | number | true> = {};
  const sparse: [key: string, value: string][] = [];
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space === -1 ? "" : bytes.toString("latin1", at, space);
    const end = at + Number(digits);
    if (!/^[1-9]\d{0,9}$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw invalidImage("a pax header holds a broken record");
    const record = bytes.toString("latin1", space + 1, end - 1);
    const equals = record.indexOf("=");
    if (equals < 1) throw invalidImage("a pax header holds a record without a name");
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key.startsWith(SPARSE)) sparse.push([key.slice(SPARSE.length), value]);
    else take(found, key, value);
    at = end;
  }
  return { ...found, ...(sparse.length > 0 && { sparse: sparseOf(sparse) }) };
}

const SPARSE = "GNU.sparse.";

function take(found: Record<string, string | number | true>, key: string, value: string): void {
  if (key === "SCHILY.xattr.security.capability") found["capabilities"] = true;
  else if (/^(SCHILY\.(xattr|acl)|LIBARCHIVE\.xattr)\./.test(key)) found["attributes"] = true;
  const isName = key === "path" || key === "linkpath";
  if (!isName && !NUMBERS.has(key)) return;
  // tar(1) takes the time of the header instead of one that is none.
  if (value === "" || (key === "mtime" && !Number.isFinite(Number(value)))) delete found[key];
  else found[key] = isName ? value : numberOf(key, value);
}

function numberOf(key: string, value: string): number {
  const number = Number(value);
  if (key === "mtime" || Number.isSafeInteger(number)) return number;
  throw invalidImage(`a pax header holds a ${key} that is no number`);
}

function sparseOf(records: readonly (readonly [string, string])[]): PaxSparse {
  const last = (key: string): string | undefined => records.findLast(([name]) => name === key)?.[1];
  const size = last("realsize") ?? last("size");
  const map = last("map")?.split(",") ?? listedIn(records);
  if (map.length > 2 * MOST_PARTS) throw invalidImage("a pax header holds too long a map of holes");
  const parts: Part[] = [];
  for (let at = 0; at + 1 < map.length; at += 2)
    parts.push([
      numberOf("map of holes", map[at] ?? ""),
      numberOf("map of holes", map[at + 1] ?? ""),
    ]);
  return {
    isMapInBody: last("major") === "1",
    name: last("name"),
    realSize: size === undefined ? undefined : numberOf("size", size),
    parts,
  };
}

/** The map of the oldest form, which has a record for each number. */
function listedIn(records: readonly (readonly [string, string])[]): string[] {
  return records
    .filter(([key]) => key === "offset" || key === "numbytes")
    .map(([, value]) => value);
}

/** Reads a long name of GNU tar, which ends at a NUL byte. */
export function longText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
}
