import { HEAD, record, setup, str, strs, u8, u32 } from "./parser-bytes.js";
import { type Broken, CROOKED, HUGE, show } from "./parser-crooked.js";

const PROCS = "/sys/fs/cgroup/own/cgroup.procs";
// With a cgroup, its namespace is not among those of the start.
const without = { ...HEAD, namespaces: record("N", u32(23)) };
const cgroup = (...body: readonly Uint8Array[]): Uint8Array => record("P", Buffer.concat(body));
const whole = cgroup(u8(1), strs(PROCS), strs());
const WRONG = "the cgroup is broken";

/** Set-ups whose cgroup is wrong. */
export const BROKEN_CGROUPS: readonly Broken[] = [
  ["a cgroup and a namespace from the start", setup({}, whole), WRONG],
  ["two cgroups", setup(without, whole, whole), "a record is broken"],
  [
    "a cgroup before the host name",
    setup(without, whole, record("H", str("h"))),
    "a record is broken",
  ],
  ["a cgroup of nothing", setup(without, cgroup()), WRONG],
  ["a cgroup without a file", setup(without, cgroup(u8(0), strs(), strs())), WRONG],
  ["an unknown flag of a cgroup", setup(without, cgroup(u8(2), strs(PROCS), strs())), WRONG],
  ["a cgroup with one list", setup(without, cgroup(u8(0), strs(PROCS))), WRONG],
  ["a byte after a cgroup", setup(without, cgroup(u8(0), strs(PROCS), strs(), u8(0))), WRONG],
  [
    "a cgroup of 9 files",
    setup(without, cgroup(u8(0), strs(...Array.from({ length: 9 }, () => PROCS)), strs())),
    WRONG,
  ],
  ["2^32-1 files of a cgroup", setup(without, cgroup(u8(0), u32(HUGE), str(PROCS), strs())), WRONG],
  ["a cgroup's file that is /", setup(without, cgroup(u8(0), strs("/"), strs())), WRONG],
  ...CROOKED.map(
    (path): Broken => [
      `the cgroup's file ${show(path)}`,
      setup(without, cgroup(u8(0), strs(), strs(path))),
      WRONG,
    ],
  ),
];
