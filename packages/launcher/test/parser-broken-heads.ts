import { HEAD, record, setup, str, u8, u32 } from "./parser-bytes.js";
import { type Broken, CROOKED, HUGE, show } from "./parser-crooked.js";

const { version, mode, namespaces, ids, root } = HEAD;
const rooted = (text: Uint8Array, flags = 1): Uint8Array =>
  record("R", Buffer.concat([u8(flags), text]));

/** Set-ups whose first records are wrong. */
export const BROKEN_HEADS: readonly Broken[] = [
  ["an empty set-up", Buffer.alloc(0), "the version is not 1"],
  ["version 2", setup({ version: record("V", u32(2)) }), "the version is not 1"],
  ["a version of 3 bytes", setup({ version: record("V", u8(1, 0, 0)) }), "the version is not 1"],
  ["a version of 8 bytes", setup({ version: record("V", u32(1, 0)) }), "the version is not 1"],
  [
    "a record of 2^32-1 bytes",
    setup({ version: record("V", u32(1), HUGE) }),
    "the version is not 1",
  ],
  ["the mode before the version", setup({ version: mode, mode: version }), "the version is not 1"],
  ["two versions", setup({ mode: version }), "the mode is broken"],
  ["mode 2", setup({ mode: record("M", u8(2)) }), "the mode is broken"],
  ["no mode", setup({ mode: u8() }), "the mode is broken"],
  ["two modes", setup({ namespaces: mode }), "the namespaces are broken"],
  [
    "an unknown namespace",
    setup({ namespaces: record("N", u32(64)) }),
    "the namespaces are broken",
  ],
  [
    "further user namespaces without one",
    setup({ namespaces: record("N", u32(62)) }),
    "the namespaces are broken",
  ],
  [
    "all namespaces there can be",
    setup({ namespaces: record("N", u32(HUGE)) }),
    "the namespaces are broken",
  ],
  ["two records of namespaces", setup({ ids: namespaces }), "the ids are broken"],
  ["no gid", setup({ ids: record("I", u32(0)) }), "the ids are broken"],
  ["the uid -1", setup({ ids: record("I", u32(HUGE, 0)) }), "the ids are broken"],
  ["the gid -1", setup({ ids: record("I", u32(0, HUGE)) }), "the ids are broken"],
  ["two records of ids", setup({ root: ids }), "the root is broken"],
  ["the root before the ids", setup({ ids: root, root: ids }), "the ids are broken"],
  ["an unknown flag of the root", setup({ root: rooted(str("/"), 3) }), "the root is broken"],
  ["a root with a NUL inside", setup({ root: rooted(str("/a\0b")) }), "the root is broken"],
  [
    "a root without a NUL",
    setup({ root: rooted(Buffer.concat([u32(2), Buffer.from("/a")])) }),
    "the root is broken",
  ],
  ["a root of no bytes", setup({ root: rooted(u32(0)) }), "the root is broken"],
  [
    "a root of 2^32-1 bytes",
    setup({ root: rooted(Buffer.concat([u32(HUGE), u8(47, 0)])) }),
    "the root is broken",
  ],
  [
    "a byte after the root's path",
    setup({ root: rooted(Buffer.concat([str("/"), u8(0)])) }),
    "the root is broken",
  ],
  ...CROOKED.map(
    (path): Broken => [
      `the root ${show(path)}`,
      setup({ root: rooted(str(path)) }),
      "the root is broken",
    ],
  ),
];
