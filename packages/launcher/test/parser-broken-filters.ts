import { record, setup, str, u8 } from "./parser-bytes.js";
import type { Broken } from "./parser-crooked.js";

const filter = (size: number): Uint8Array => record("F", Buffer.alloc(size, 6));
const whole = filter(8);
const atExec = (size: number): Uint8Array => record("E", Buffer.alloc(size, 6));
const WRONG = "the filter is broken";

/** Set-ups whose filter is wrong. What the instructions say is the kernel's to judge. */
export const BROKEN_FILTERS: readonly Broken[] = [
  ["an empty filter", setup({}, filter(0)), WRONG],
  ["half an instruction", setup({}, filter(4)), WRONG],
  ["an instruction and a byte", setup({}, filter(9)), WRONG],
  ["4,097 instructions", setup({}, filter(8 * 4097)), WRONG],
  ["65,537 instructions", setup({}, filter(8 * 65_537)), WRONG],
  ["a filter that is cut short", setup({}, record("F", Buffer.alloc(8), 16)), WRONG],
  ["a byte after a filter", setup({}, whole, u8(0)), "a record is broken"],
  ["two filters", setup({}, whole, whole), "a record is broken"],
  ["an empty filter at exec", setup({}, whole, atExec(0)), WRONG],
  ["4,097 instructions at exec", setup({}, whole, atExec(8 * 4097)), WRONG],
  ["two filters at exec", setup({}, atExec(8), atExec(8)), "a record is broken"],
  ["a filter at exec before the other", setup({}, atExec(8), whole), "a record is broken"],
  ["a filter before the host name", setup({}, whole, record("H", str("h"))), "a record is broken"],
];
