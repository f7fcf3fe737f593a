import { record, setup, str, u32 } from "./parser-bytes.js";
import { type Broken, HUGE } from "./parser-crooked.js";

const map = (tag: string, extents: readonly number[], tool = ""): Uint8Array =>
  record(tag, Buffer.concat([str(tool), u32(...extents)]));
const uids = map("U", [0, 1000, 1]);
const gids = map("G", [0, 1000, 1]);
const WRONG = "the id maps are broken";

/** Set-ups whose maps of ids are wrong. */
export const BROKEN_MAPS: readonly Broken[] = [
  ["a uid map alone", setup({}, uids), WRONG],
  ["a gid map alone", setup({}, gids), "a record is broken"],
  ["the gid map first", setup({}, gids, uids), "a record is broken"],
  ["two uid maps", setup({}, uids, uids, gids), WRONG],
  ["maps twice", setup({}, uids, gids, uids, gids), "a record is broken"],
  ["maps without a user namespace", setup({ namespaces: record("N", u32(30)) }, uids, gids), WRONG],
  ["an empty map", setup({}, map("U", []), gids), WRONG],
  ["an extent of 8 bytes", setup({}, map("U", [0, 1000]), gids), WRONG],
  ["an extent of no ids", setup({}, map("U", [0, 1000, 0]), gids), WRONG],
  ["an extent beyond the last id inside", setup({}, map("U", [1, 0, HUGE]), gids), WRONG],
  ["an extent beyond the last id outside", setup({}, uids, map("G", [0, HUGE, 1])), WRONG],
  [
    "341 extents",
    setup(
      {},
      map(
        "U",
        Array.from({ length: 341 * 3 }, () => 1),
      ),
      gids,
    ),
    WRONG,
  ],
  ["a tool by a relative path", setup({}, map("U", [0, 1000, 1], "newuidmap"), gids), WRONG],
];
