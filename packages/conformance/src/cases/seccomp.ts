import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { constants } from "node:os";
import { basename, join } from "node:path";
import type { ConfigInput } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import type { Context } from "../context.js";
import { caller, DATA, has32BitCalls, type KernelCall, noCaller } from "../root/caller.js";
import { inEveryWay, type Spawn } from "../ways.js";

const { EAFNOSUPPORT, EINVAL, ENOENT, ENOSYS, EPERM } = constants.errno;
const SIGSYS = 128 + constants.signals.SIGSYS;
/** What the kernel cuts off an argument that is an int. */
const JUNK = 0xdead_beef_0000_0000n;

const AT_FDCWD = 0xffff_ff9c;
const TIOCSTI = 0x5412n;
const SOCK_STREAM = 1;
const [AF_INET, AF_ALG, AF_VSOCK] = [2n, 38n, 40n] as const;
const CLONE_NEWUSER = 0x1000_0000;
const SET_ID = 0o4755n;
const O_CREAT = 0o101;
const PTRACE_TRACEME: KernelCall = { name: "ptrace", args: [0, 0, 0, 0] };
const SET_ID_BY_CHMOD: KernelCall = { name: "fchmodat", args: [AT_FDCWD, DATA, SET_ID] };
/** It has no size, so the kernel would answer EINVAL. */
const CLONE3: KernelCall = { name: "clone3", args: [0, 0] };
/** The data of the callers: the name of a file that is not there. */
const NOWHERE = Buffer.from("nowhere/file\0");

/** What the default profile denies, and how. */
const ATTACKS: readonly (readonly [title: string, call: KernelCall, expected: number])[] = [
  ["TIOCSTI", { name: "ioctl", args: [0, TIOCSTI, DATA] }, EPERM],
  ["TIOCSTI with bits above", { name: "ioctl", args: [0, TIOCSTI | JUNK, DATA] }, EPERM],
  ["AF_VSOCK", socket(AF_VSOCK), EAFNOSUPPORT],
  ["AF_VSOCK with bits above", socket(AF_VSOCK | JUNK), EAFNOSUPPORT],
  ["AF_ALG with bits above", socket(AF_ALG | JUNK), EAFNOSUPPORT],
  ["clone3", CLONE3, ENOSYS],
  ["openat2", { name: "openat2", args: [AT_FDCWD, DATA, 0, 0] }, ENOSYS],
  ["io_uring", { name: "io_uring_setup", args: [1, 0] }, ENOSYS],
  ["the caller's keys", { name: "keyctl", args: [0, 0xffff_fffd, 0] }, ENOSYS],
  ["userfaultfd", { name: "userfaultfd", args: [1] }, EPERM],
  ["bpf", { name: "bpf", args: [0xffff, 0, 0] }, EPERM],
  ["a new user namespace", { name: "unshare", args: [CLONE_NEWUSER] }, EPERM],
  ["ptrace", PTRACE_TRACEME, EPERM],
  ["set-user-ID by chmod", SET_ID_BY_CHMOD, EPERM],
  ["the same with bits above", withArgument(SET_ID_BY_CHMOD, 2, SET_ID | 0x1_0000n), EPERM],
  ["set-user-ID by open", { name: "openat", args: [AT_FDCWD, DATA, O_CREAT, SET_ID] }, EPERM],
  ["set-group-ID by mknod", { name: "mknodat", args: [AT_FDCWD, DATA, 0o102_755, 0] }, EPERM],
];

/** By another ABI: the filter knows it, or the kernel does not. */
const FOREIGN: readonly (readonly [title: string, call: KernelCall, expected: number])[] = [
  ["a socket of x32", { ...socket(AF_INET), abi: "x32" }, ENOSYS],
  ["a call of i386", { name: "setsid", args: [], abi: "i386" }, SIGSYS],
  ["socketcall of i386", { name: "socketcall", args: [1, DATA], abi: "i386" }, SIGSYS],
];

export const seccomp: Topic = {
  title: "system calls",
  isBare: true,
  cases: [
    ...inEveryWay(
      "the profile `default` holds where nothing is said",
      async (spawn, context) => {
        await expectEnds(spawn, context.put, attacks());
      },
      { needs: ["root", "seccomp"], proves: ["seccomp"], skip: noCaller },
    ),
    {
      title: "the profile `default` holds at the host's own root",
      needs: ["seccomp"],
      lacks: ["root"],
      proves: ["seccomp"],
      skip: noCaller,
      async run({ scratch, spawn }) {
        const put: Context["put"] = (path, content) => {
          const at = join(scratch, basename(path));
          writeFileSync(at, content, { mode: 0o755 });
          return at;
        };
        await expectEnds(spawn, put, attacks());
      },
    },
    ...inEveryWay(
      "the profile `none` denies none of it",
      async (spawn, context) => {
        const passed: typeof ATTACKS = [
          ["clone3", CLONE3, EINVAL],
          ["set-user-ID by chmod", SET_ID_BY_CHMOD, ENOENT],
          ["ptrace", PTRACE_TRACEME, 0],
        ];
        await expectEnds(spawn, context.put, passed, { seccomp: "none" });
      },
      { needs: ["root", "seccomp"], skip: noCaller },
    ),
    {
      title: "the profile `build` allows a tracer, which cannot reach pid 1",
      needs: ["root", "seccomp"],
      skip: noCaller,
      async run(context) {
        const calls: typeof ATTACKS = [
          ["ptrace", PTRACE_TRACEME, 0],
          ["ptrace of pid 1", { name: "ptrace", args: [0x4206, 1n | JUNK, 0, 0] }, EPERM],
          ["set-user-ID by chmod", SET_ID_BY_CHMOD, EPERM],
        ];
        await expectEnds(context.spawn, context.put, calls, { seccomp: "build" });
      },
    },
    ...inEveryWay(
      "a profile of the user's own holds, at the size at which the kernel looks",
      async (spawn, context) => {
        const calls: typeof ATTACKS = [
          ["a call", { name: "setsid", args: [] }, 77],
          ["an argument", socket(AF_INET), 78],
          ["an argument with bits above", socket(AF_INET | JUNK), 78],
          ["another call", SET_ID_BY_CHMOD, ENOENT],
        ];
        await expectEnds(spawn, context.put, calls, { seccomp: { profile: OWN } });
      },
      { needs: ["root", "seccomp"], proves: ["seccomp"], skip: noCaller },
    ),
    {
      title: "the profile `strict` leaves exit, and ends the program at any other call",
      needs: ["root", "seccomp"],
      skip: noCaller,
      async run({ put, run }) {
        const strict = { seccomp: "strict" } as const;
        const exits = put("/work/exits", caller([], NOWHERE));
        const calls = put("/work/calls", caller([PTRACE_TRACEME], NOWHERE));
        assert.deepEqual((await run([exits], strict)).exitCode, 0);
        const { signal, exitCode } = await run([calls], strict);
        const end = signal ?? exitCode;
        assert(end === "SIGSYS" || end === SIGSYS, `a call ended in ${end}, and not in SIGSYS`);
      },
    },
  ],
};

const OWN = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [
    { names: ["setsid"], action: "SCMP_ACT_ERRNO", errnoRet: 77 },
    {
      names: ["socket"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 78,
      args: [{ index: 0, value: Number(AF_INET), op: "SCMP_CMP_EQ" }],
    },
  ],
} as const;

function attacks(): typeof ATTACKS {
  return has32BitCalls() ? [...ATTACKS, ...FOREIGN] : ATTACKS;
}

function socket(family: bigint): KernelCall {
  return { name: "socket", args: [family, SOCK_STREAM, 0] };
}

function withArgument(call: KernelCall, index: number, value: bigint): KernelCall {
  return { ...call, args: call.args.map((each, at) => (at === index ? value : each)) };
}

/** Runs a program for each call, from one shell that shows with which errno or signal each has ended. */
async function expectEnds(
  spawn: Spawn,
  put: Context["put"],
  calls: typeof ATTACKS,
  config: ConfigInput = {},
): Promise<void> {
  const programs = calls.map(([, call], index) =>
    put(`/work/caller-${index}`, caller([call], NOWHERE)),
  );
  const script = ['for program in "$@"; do "$program" 2>&-; echo $?; done', ...programs] as const;
  const child = await spawn(script, config, { stdout: "capture" });
  const { stdout } = await child.result;
  const ends = Buffer.from(stdout ?? [])
    .toString()
    .trim()
    .split("\n");
  assert.deepEqual(
    calls.map(([title], index) => `${title}: ${ends[index]}`),
    calls.map(([title, , expected]) => `${title}: ${expected}`),
  );
}
