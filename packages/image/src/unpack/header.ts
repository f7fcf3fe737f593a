import { invalidImage } from "../errors.js";
import { BLOCK } from "./blocks.js";
import type { SparseMap } from "./sparse.js";

/** The header of an entry. Names are as in `names.ts`. */
export interface Header {
  /** The letter of its type; `0` for every kind of regular file. */
  readonly type: string;
  readonly path: string;
  readonly linkpath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The bytes of the body in the archive, without its padding. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Where the bytes of the body belong in the file, if it has holes. */
  readonly sparse?: SparseMap | undefined;
}

/**
 * Reads a header as tar(1) does, in any of its forms: of the seventh edition, ustar(5), GNU tar and star.
 *
 * @throws SandboxError `IMAGE_INVALID` for a wrong checksum or number.
 */
export function parseHeader(block: Buffer): Header {
  if (!isChecksumRight(block)) throw invalidImage("the tar archive is broken: a checksum is wrong");
  const type = String.fromCharCode(block[156] ?? 0);
  return {
    type: type === "\0" || type === "7" ? "0" : type,
    path: prefixOf(block) + textAt(block, 0, 100),
    linkpath: textAt(block, 157, 100),
    mode: numberAt(block, 100, 8) & 0o7777,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size: BODILESS.has(type) ? 0 : numberAt(block, 124, 12),
    mtime: numberAt(block, 136, 12),
  };
}

/** Links, devices, directories and FIFOs have no body, whatever their header says. */
export const BODILESS: ReadonlySet<string> = new Set(["1", "2", "3", "4", "5", "6"]);

/** Whether the checksum is right. Some old programs took the bytes for signed ones. */
export function isChecksumRight(block: Buffer): boolean {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let at = 0; at < BLOCK; at += 1) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const written = octal(block, 148, 8);
  return written !== undefined && (written === unsigned || written === signed);
}

/** The first part of a long path. GNU tar has other fields in its place. */
function prefixOf(block: Buffer): string {
  if (block.toString("latin1", 257, 263) !== "ustar\0") return "";
  const prefix = textAt(block, 345, isStar(block) ? 131 : 155);
  return prefix === "" ? "" : `${prefix}/`;
}

/** Whether star has written the header. It keeps two times at the end of the prefix. */
function isStar(block: Buffer): boolean {
  if (block.toString("latin1", 508, 512) === "tar\0") return true;
  return block[475] === 0 && /^[0-7]{11} [0-7]{11} $/.test(block.toString("latin1", 476, 500));
}

/** Reads a text that ends at a NUL byte or with its field. */
function textAt(block: Buffer, at: number, size: number): string {
  const end = block.indexOf(0, at);
  return block.toString("latin1", at, end === -1 || end > at + size ? at + size : end);
}

/** Reads a number: octal digits, or in base 256 when the first bit is set. */
export function numberAt(block: Buffer, at: number, size: number): number {
  const number = ((block[at] ?? 0) & 0x80) === 0 ? octal(block, at, size) : binary(block, at, size);
  if (number !== undefined && Number.isSafeInteger(number)) return number;
  throw invalidImage("the tar archive is broken: a number is wrong");
}

/** Reads octal digits, with spaces or NUL bytes around them. Without any the number is 0. */
function octal(block: Buffer, at: number, size: number): number | undefined {
  const text = block.toString("latin1", at, at + size);
  const [, digits] = /^[\0 ]*([0-7]*)(?:[\0 ].*)?$/s.exec(text) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits || "0", 8);
}

/** Reads a number of two's complement, whose first bit only says that it is one. */
function binary(block: Buffer, at: number, size: number): number {
  const first = block[at] ?? 0;
  const isNegative = (first & 0x40) !== 0;
  let number = BigInt(first & 0x3f) - (isNegative ? 0x40n : 0n);
  for (const byte of block.subarray(at + 1, at + size)) number = number * 0x100n + BigInt(byte);
  return Number(number);
}

/** Writes a number as GNU tar does: octal digits, or in base 256 where there are not enough of them. */
export function writeNumber(block: Buffer, at: number, size: number, number: number): void {
  const digits = number.toString(8);
  if (digits.length < size) {
    block.write(`${digits.padStart(size - 1, "0")}\0`, at, size, "latin1");
    return;
  }
  let left = number;
  for (let place = at + size - 1; place > at; place -= 1) {
    block[place] = left % 0x100;
    left = Math.floor(left / 0x100);
  }
  block[at] = 0x80;
}

/** Sets the checksum of a header. */
export function seal(block: Buffer): void {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
}
