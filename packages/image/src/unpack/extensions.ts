import { invalidImage } from "../errors.js";

/** What extended headers say of the entry after them: pax headers, and the long names of GNU tar. */
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
}

const NUMBERS = new Set(["size", "mtime", "uid", "gid"]);

/**
 * Parses the records of a pax header, pax(1). Where two have the same key, the last one counts.
 *
 * @throws SandboxError `IMAGE_INVALID` for a record that is broken or declares a sparse file.
 */
export function paxRecords(bytes: Buffer): Extensions {
  const found: Record<string, string | number | true> = {};
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space === -1 ? "" : bytes.toString("latin1", at, space);
    const end = at + Number(digits);
    if (!/^[1-9]\d{0,9}$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a)
      throw invalidImage("a pax header holds a broken record");
    const record = bytes.toString("utf8", space + 1, end - 1);
    const equals = record.indexOf("=");
    if (equals < 1) throw invalidImage("a pax header holds a record without a name");
    take(found, record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return found;
}

function take(found: Record<string, string | number | true>, key: string, value: string): void {
  if (key.startsWith("GNU.sparse."))
    throw invalidImage(
      "it holds sparse files in GNU's form, which is not read",
      "Make the archive without --sparse.",
    );
  if (key === "SCHILY.xattr.security.capability") found["capabilities"] = true;
  else if (/^(SCHILY\.(xattr|acl)|LIBARCHIVE\.xattr)\./.test(key)) found["attributes"] = true;
  if (key === "path" || key === "linkpath") found[key] = value;
  if (!NUMBERS.has(key)) return;
  const number = Number(value);
  if (
    value === "" ||
    !Number.isFinite(number) ||
    (key !== "mtime" && !Number.isSafeInteger(number))
  )
    throw invalidImage(`a pax header holds a ${key} that is no number`);
  found[key] = number;
}

/** Reads a long name of GNU tar, which ends at a NUL byte. */
export function longText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}
