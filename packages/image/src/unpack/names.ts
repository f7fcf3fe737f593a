import { shown } from "../errors.js";

// Names in an archive are bytes, and need not be UTF-8. They are held in strings that have one character for each byte
// (latin1), so that no two names become one.

/** The bytes of a name, as the kernel takes them. */
export function nameBytes(name: string): Buffer {
  return Buffer.from(name, "latin1");
}

/** The name that a text has in an archive. */
export function nameOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString("latin1");
}

// oxlint-disable-next-line no-control-regex -- These are the names that are the same in both forms.
const ASCII = /^[\u0000-\u007f]*$/;

/** Prepares a name for a message, as {@link shown}. */
export function shownName(name: string): string {
  return shown(nameBytes(name).toString());
}

/** The path of a name in a directory. */
export function within(directory: Buffer, name: string): Buffer {
  return Buffer.concat([directory, SLASH, nameBytes(name)]);
}

const SLASH = Buffer.from("/");

/**
 * The path of a name below a directory of the host.
 *
 * @param directory - A path of the host, as text.
 */
export function pathIn(directory: string, name: string): Buffer {
  return within(Buffer.from(directory), name);
}
