import {
  HEAD,
  type MountFields,
  mount,
  mountBody,
  record,
  setup,
  str,
  u8,
  u32,
} from "./parser-bytes.js";
import { type Broken, CROOKED, HUGE, show } from "./parser-crooked.js";

const tmpfs = mount({ type: "t" });
const host = record("H", str("box"));

/** Set-ups in which what follows the first records is wrong. */
export const BROKEN_RECORDS: readonly Broken[] = [
  [
    "a host name without uts",
    setup({ namespaces: record("N", u32(27)) }, host),
    "the host name is broken",
  ],
  [
    "a host name of 65 bytes",
    setup({}, record("H", str("h".repeat(65)))),
    "the host name is broken",
  ],
  ["a host name with a NUL inside", setup({}, record("H", str("a\0b"))), "the host name is broken"],
  ["two host names", setup({}, host, host), "a record is broken"],
  ["a host name after a mount", setup({}, tmpfs, host), "a record is broken"],
  ["an unknown record", setup({}, record("x")), "a record is broken"],
  ["the record 0", setup({}, record("\0")), "a record is broken"],
  ["a version at the end", setup({}, tmpfs, HEAD.version), "a record is broken"],
  ["a root at the end", setup({}, HEAD.root), "a record is broken"],
  ["a byte at the end", setup({}, tmpfs, u8(109)), "a record is broken"],
  ["a mount of no bytes", setup({}, record("m")), "a record is broken"],
  [
    "a mount of 2^32-1 bytes",
    setup({}, record("m", mountBody({ type: "t" }), HUGE)),
    "a record is broken",
  ],
  [
    "a byte at the end of a mount",
    setup({}, record("m", Buffer.concat([mountBody({ type: "t" }), u8(0)]))),
    "a record is broken",
  ],
  [
    "a field with a NUL inside",
    setup({}, record("m", Buffer.from(mountBody({ type: "t" })).fill(0, 16, 17))),
    "a record is broken",
  ],
  [
    "a target with a NUL inside",
    setup({}, mount({ type: "t", target: "/a\0b" })),
    "a record is broken",
  ],
  [
    "a source with a NUL inside",
    setup({}, mount({ type: "b", source: "/a\0b" })),
    "a record is broken",
  ],
];

/** Set-ups with a mount that contradicts itself. */
export const BROKEN_MOUNTS: readonly Broken[] = [
  wrongMount("an unknown type", { type: "x" }, "a mount has an unknown type"),
  wrongMount("the type 0", { type: "\0" }, "a mount has an unknown type"),
  wrongMount(
    "an unknown flag",
    { type: "b", flags: 20, source: "/a" },
    "a mount has flags that its type has not",
  ),
  wrongMount(
    "a read-only tmpfs",
    { type: "t", flags: 5 },
    "a mount has flags that its type has not",
  ),
  wrongMount(
    "devices in a tmpfs",
    { type: "t", flags: 12 },
    "a mount has flags that its type has not",
  ),
  wrongMount(
    "a read-only proc",
    { type: "p", flags: 5 },
    "a mount has flags that its type has not",
  ),
  wrongMount(
    "a hidden path to be created",
    { type: "h", flags: 6 },
    "a mount has flags that its type has not",
  ),
  wrongMount(
    "a mirror to be created",
    { type: "r", flags: 6 },
    "a mount has flags that its type has not",
  ),
  wrongMount(
    "a proc on a file",
    { type: "p", flags: 0 },
    "a mount that is a directory has a target that is none",
  ),
  wrongMount(
    "a mirror on a file",
    { type: "r", flags: 0 },
    "a mount that is a directory has a target that is none",
  ),
  wrongMount(
    "a bind with a size",
    { type: "b", size: 1n, source: "/a" },
    "a mount that is no tmpfs has a size",
  ),
  wrongMount(
    "a dev with a size of 2^64-1",
    { type: "d", size: 2n ** 64n - 1n },
    "a mount that is no tmpfs has a size",
  ),
  wrongMount("a tmpfs with a source", { type: "t", source: "/a" }, "a mount has a broken source"),
  wrongMount("a mirror with a source", { type: "r", source: "/" }, "a mount has a broken source"),
  wrongMount(
    "a tmpfs on /",
    { type: "t", target: "/" },
    "a mount that is no mirror has / as its target",
  ),
  wrongMount(
    "a hidden /",
    { type: "h", target: "/" },
    "a mount that is no mirror has / as its target",
  ),
  ...CROOKED.flatMap((path): Broken[] => [
    wrongMount(
      `the source ${show(path)}`,
      { type: "b", flags: 5, source: path },
      "a mount has a broken source",
    ),
    wrongMount(
      `the target ${show(path)}`,
      { type: "t", target: path },
      "a mount has a broken target",
    ),
  ]),
];

function wrongMount(title: string, fields: MountFields, sentence: string): Broken {
  return [title, setup({}, mount(fields)), sentence];
}
