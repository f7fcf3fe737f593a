import { command, limit, record, str, strs, terminal, u8, u32 } from "./parser-bytes.js";
import { type Broken, HUGE } from "./parser-crooked.js";

/** Commands that are wrong in a run. */
export const BROKEN_COMMANDS: readonly Broken[] = [
  ["an empty command", Buffer.alloc(0), "a command is broken"],
  ["the id 0", command({ id: 0 }), "a command has the id 0"],
  ["an unknown stream", command({ streams: [6, 0, 0] }), "a command has a stream that cannot be"],
  [
    "a standard error that is large",
    command({ streams: [0, 0, 5] }),
    "a command has a stream that cannot be",
  ],
  [
    "standard input as standard output",
    command({ streams: [3, 0, 0] }),
    "a command has a stream that cannot be",
  ],
  [
    "standard output as itself",
    command({ streams: [0, 3, 0] }),
    "a command has a stream that cannot be",
  ],
  ["a pipe in a run", command({ streams: [2, 0, 0] }), "a command has a stream that cannot be"],
  [
    "a stream that is sent in a run",
    command({ streams: [0, 0, 4] }),
    "a command has a stream that cannot be",
  ],
  [
    "a relative working directory",
    command({ cwd: str("tmp") }),
    "a command has a relative working directory",
  ],
  [
    "an empty working directory",
    command({ cwd: str("") }),
    "a command has a relative working directory",
  ],
  ["a working directory with a NUL inside", command({ cwd: str("/a\0b") }), "a command is broken"],
  ["a working directory of no bytes", command({ cwd: u32(0) }), "a command is broken"],
  [
    "a working directory of 2^32-1 bytes",
    command({ cwd: Buffer.concat([u32(HUGE), u8(47, 0)]) }),
    "a command is broken",
  ],
  ["no words", command({ argv: strs() }), "a command has no words"],
  ["2^32-1 words", command({ argv: Buffer.concat([u32(HUGE), str("a")]) }), "a command is broken"],
  ["a word with a NUL inside", command({ argv: strs("a\0b") }), "a command is broken"],
  ["a word without a NUL", command({ argv: u32(1, 4, 0x61616161) }), "a command is broken"],
  ["2^32-1 variables", command({ env: u32(HUGE) }), "a command is broken"],
  [
    "a variable fewer than it says",
    command({ env: Buffer.concat([u32(2), str("A=b")]) }),
    "a command is broken",
  ],
  [
    "a variable more than it says",
    command({ env: Buffer.concat([u32(0), str("A=b")]) }),
    "a command is broken",
  ],
  ["a variable without =", command({ env: strs("A") }), "a command is broken"],
  ["a variable without a name", command({ env: strs("=b") }), "a command is broken"],
  ["an empty variable", command({ env: strs("") }), "a command is broken"],
  ["an unknown limit", command({ records: limit(2, 1n, 1n) }), "a limit is broken"],
  ["the limit 255", command({ records: limit(255, 1n, 1n) }), "a limit is broken"],
  ["a soft limit above the hard one", command({ records: limit(7, 2n, 1n) }), "a limit is broken"],
  [
    "the same limit twice",
    command({ records: Buffer.concat([limit(7, 1n, 1n), limit(7, 1n, 1n)]) }),
    "a limit is broken",
  ],
  [
    "limits in another order",
    command({ records: Buffer.concat([limit(7, 1n, 1n), limit(0, 1n, 1n)]) }),
    "a limit is broken",
  ],
  ["an empty limit", command({ records: record("L") }), "a limit is broken"],
  [
    "a limit that is cut short",
    command({ records: limit(7, 1n, 1n).subarray(0, -1) }),
    "a limit is broken",
  ],
  [
    "a limit with a byte too many",
    command({ records: record("L", Buffer.alloc(18)) }),
    "a limit is broken",
  ],
  [
    "a terminal that is too wide",
    command({ records: terminal(65_536, 1) }),
    "a terminal is broken",
  ],
  [
    "a terminal that is cut short",
    command({ records: terminal(1, 1).subarray(0, -1) }),
    "a terminal is broken",
  ],
  [
    "two terminals",
    command({ records: Buffer.concat([terminal(1, 1), terminal(1, 1)]) }),
    "a command is broken",
  ],
  [
    "a limit behind a terminal",
    command({ records: Buffer.concat([terminal(1, 1), limit(7, 1n, 1n)]) }),
    "a command is broken",
  ],
  ["an unknown record", command({ records: record("Q") }), "a command is broken"],
  ["a byte at the end", Buffer.concat([command({}), u8(0)]), "a command is broken"],
];
