import { record, setup, str, strs, u8, u32 } from "./parser-bytes.js";
import { type Broken, CROOKED, HUGE, show } from "./parser-crooked.js";

const PROCS = "/sys/fs/cgroup/own/cgroup.procs";
const cgroup = (...body: readonly Uint8Array[]): Uint8Array => record("P", Buffer.concat(body));
const whole = cgroup(strs(PROCS), strs());
const WRONG = "the cgroup is broken";

/** Set-ups whose cgroup is wrong. */
export const BROKEN_CGROUPS: readonly Broken[] = [
  ["two cgroups", setup({}, whole, whole), "a record is broken"],
  ["a cgroup before the host name", setup({}, whole, record("H", str("h"))), "a record is broken"],
  ["a cgroup of nothing", setup({}, cgroup()), WRONG],
  ["a cgroup without a file", setup({}, cgroup(strs(), strs())), WRONG],
  ["a cgroup with one list", setup({}, cgroup(strs(PROCS))), WRONG],
  ["a byte after a cgroup", setup({}, cgroup(strs(PROCS), strs(), u8(0))), WRONG],
  [
    "a cgroup of 9 files",
    setup({}, cgroup(strs(...Array.from({ length: 9 }, () => PROCS)), strs())),
    WRONG,
  ],
  ["2^32-1 files of a cgroup", setup({}, cgroup(u32(HUGE), str(PROCS), strs())), WRONG],
  ["a cgroup's file that is /", setup({}, cgroup(strs("/"), strs())), WRONG],
  ...CROOKED.map(
    (path): Broken => [
      `the cgroup's file ${show(path)}`,
      setup({}, cgroup(strs(), strs(path))),
      WRONG,
    ],
  ),
];
