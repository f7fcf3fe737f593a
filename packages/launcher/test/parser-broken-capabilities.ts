import { record, setup, str, u32 } from "./parser-bytes.js";
import type { Broken } from "./parser-crooked.js";

const capabilities = (...halves: readonly number[]): Uint8Array => record("K", u32(...halves));
const WRONG = "the capabilities are broken";
/** Of root's program, without a user namespace. */
const ROOT = { namespaces: record("N", u32(30)), ids: record("I", u32(0, 0)) };
const CHOWN = 1;

/** Set-ups whose kept capabilities are wrong. */
export const BROKEN_CAPABILITIES: readonly Broken[] = [
  ["no capability", setup(ROOT, capabilities(0, 0)), WRONG],
  ["half a set of capabilities", setup(ROOT, capabilities(CHOWN)), WRONG],
  ["a set of capabilities and a half", setup(ROOT, capabilities(CHOWN, 0, 0)), WRONG],
  // Those over mounts, tracing, devices, the network and audits, and the first one that is none.
  ...[21, 19, 27, 12, 2, 9].map(
    (number): Broken => [
      `the capability ${number}`,
      setup(ROOT, capabilities((1 << number) | CHOWN, 0)),
      WRONG,
    ],
  ),
  ["a capability of the upper half", setup(ROOT, capabilities(CHOWN, 1)), WRONG],
  ["all capabilities there can be", setup(ROOT, capabilities(0xffff_ffff, 0xffff_ffff)), WRONG],
  [
    "capabilities of another uid",
    setup({ ...ROOT, ids: record("I", u32(1, 0)) }, capabilities(CHOWN, 0)),
    WRONG,
  ],
  [
    "capabilities in a user namespace",
    setup({ ...ROOT, namespaces: record("N", u32(31)) }, capabilities(CHOWN, 0)),
    WRONG,
  ],
  [
    "two sets of capabilities",
    setup(ROOT, capabilities(CHOWN, 0), capabilities(CHOWN, 0)),
    "a record is broken",
  ],
  [
    "capabilities after the host name",
    setup(ROOT, record("H", str("h")), capabilities(CHOWN, 0)),
    "a record is broken",
  ],
];
