import { record, setup, str, u8 } from "./parser-bytes.js";
import { type Broken, CROOKED, show } from "./parser-crooked.js";

const overlay = (...texts: readonly string[]): Uint8Array =>
  record("O", Buffer.concat(texts.map(str)));
const hostname = record("H", str("sandbox"));
const WRONG = "the overlay is broken";

/** Set-ups whose overlay is wrong. */
export const BROKEN_OVERLAYS: readonly Broken[] = [
  ["an overlay of no directories", setup({}, overlay()), WRONG],
  ["an overlay of one directory", setup({}, overlay("/a")), WRONG],
  ["an overlay of three directories", setup({}, overlay("/a", "/b", "/c")), WRONG],
  ["an upper directory alone", setup({}, overlay("/a", "")), WRONG],
  ["a work directory alone", setup({}, overlay("", "/b")), WRONG],
  [
    "a byte after an overlay",
    setup({}, record("O", Buffer.concat([str(""), str(""), u8(0)]))),
    WRONG,
  ],
  ["two overlays", setup({}, overlay("/a", "/b"), overlay("/a", "/b")), "a record is broken"],
  [
    "an overlay before the host name",
    setup({}, overlay("/a", "/b"), hostname),
    "a record is broken",
  ],
  ...CROOKED.flatMap((path): Broken[] => [
    [`the upper directory ${show(path)}`, setup({}, overlay(path, "/b")), WRONG],
    [`the work directory ${show(path)}`, setup({}, overlay("/a", path)), WRONG],
  ]),
];
