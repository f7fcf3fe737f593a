import { ABIS_OF, type AbiName, callsOf } from "./abi.js";
import { SeccompError } from "./check.js";
import {
  ALLOW,
  type Condition,
  EAFNOSUPPORT,
  ENOSYS,
  EPERM,
  errno,
  KILL_PROCESS,
  type Policy,
  type Rule,
} from "./policy.js";

/** The profiles that have a name. */
export const SECCOMP_PROFILES = {
  default:
    "For programs that nobody has read, and that build, test and serve: nothing that lets them out, or at the caller.",
  build: "The same, and debuggers: ptrace, the memory of other processes, fixed addresses.",
  strict:
    "read, write, exit and sigreturn, as seccomp's strict mode has it, and execve, by which the program begins: everything else ends it with SIGSYS.",
  none: "No filter.",
} as const;

export type SeccompProfileName = keyof typeof SECCOMP_PROFILES;

/**
 * The policy of a named profile; undefined for `none`.
 *
 * @param isNesting - Whether `default` and `build` let a program make user namespaces, and what is made in one.
 */
export function namedPolicy(
  name: SeccompProfileName,
  arch: string,
  isNesting = false,
): Policy | undefined {
  const [native] = ABIS_OF[arch] ?? [];
  if (native === undefined)
    throw new SeccompError("arch", `there is no table of system calls for ${arch}`);
  const base = { abis: [native], foreign: KILL_PROCESS };
  if (name === "none") return undefined;
  if (name === "strict") {
    const rules = new Map(STRICT.map((call) => [call, [always(ALLOW)]]));
    return { ...base, rules, otherwise: KILL_PROCESS, unknown: KILL_PROCESS };
  }
  const denied = name === "build" ? DENIED.filter((call) => !DEBUGGING.includes(call)) : DENIED;
  const rules = new Map<string, Rule[]>([
    ...callsOf(native).map((call): [string, Rule[]] => [call.name, [always(ALLOW)]]),
    ...denied.map((call): [string, Rule[]] => [call, [always(errno(EPERM))]]),
    ...ABSENT.map((call): [string, Rule[]] => [call, [always(errno(ENOSYS))]]),
    ...Object.entries(LIMITED),
    ...(name === "build" ? Object.entries(INTO_INIT) : Object.entries(NOT_DEBUGGING)),
    ...(isNesting ? Object.entries(NESTING) : []),
  ]);
  return { ...base, rules, otherwise: errno(ENOSYS), unknown: errno(ENOSYS) };
}

/**
 * The policy of every sandbox, with or without a profile: it denies typing into a terminal that the program was given, what
 * reaches into pid 1 of the sandbox, which may be a process of the tool with the program's own uid, and taking the fds of
 * another process. Everything else is allowed, in every ABI that the kernel may execute below this process but x32; another
 * one answers ENOSYS. The profiles `default` and `build` deny all of that, too.
 */
export function basePolicy(arch: string): Policy {
  const rules = new Map<string, Rule[]>([
    // It could make a pidfd from a guessed number. A process without capabilities can open nothing else with it.
    ["open_by_handle_at", [always(errno(EPERM))]],
    // A socket tells of its peer by a pidfd (SO_PEERPIDFD), which may be a process of the host: where the program has no
    // user namespace of its own and that process's uid, it could take any fd of it.
    ["pidfd_getfd", [always(errno(EPERM))]],
    ["perf_event_open", [denied(equal(1, INIT)), always(ALLOW)]],
    ...Object.entries(INTO_INIT).filter(([call]) => call !== "personality"),
    // prlimit64: not memory, but limits. Pid 1 of a session could start no further command.
    ...(["ioctl", "pidfd_open", "prlimit64"] as const).map((call): [string, Rule[]] => [
      call,
      LIMITED[call] ?? [],
    ]),
  ]);
  const foreign = errno(ENOSYS);
  return { abis: BASE_ABIS[arch] ?? [], rules, otherwise: ALLOW, unknown: ALLOW, foreign };
}

/** What the kernel may execute, whatever Node is. */
const BASE_ABIS: Readonly<Record<string, readonly AbiName[]>> = {
  x64: ["x86_64", "i386"],
  ia32: ["x86_64", "i386"],
  arm64: ["aarch64", "arm"],
  arm: ["aarch64", "arm"],
  riscv64: ["riscv64"],
};

const STRICT = ["execve", "exit", "exit_group", "read", "rt_sigreturn", "sigreturn", "write"];

/** What changes the host, or leads out of the sandbox. */
const DENIED = `
  acct adjtimex bpf clock_adjtime clock_adjtime64 clock_settime clock_settime64 create_module delete_module fanotify_init
  finit_module get_kernel_syms init_module ioperm iopl kcmp kexec_file_load kexec_load lookup_dcookie modify_ldt
  move_pages nfsservctl open_by_handle_at perf_event_open pidfd_getfd process_madvise process_mrelease process_vm_readv
  process_vm_writev ptrace query_module quotactl quotactl_fd reboot setdomainname sethostname settimeofday stime swapoff
  swapon syslog uselib userfaultfd vhangup vm86 vm86old
  chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr pivot_root setns umount
  umount2
`
  .trim()
  .split(/\s+/);

const DEBUGGING = ["kcmp", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace"];

/** What programs can do without, and fall back when the kernel does not have it. With EPERM they would give up. */
const ABSENT = `
  _sysctl add_key clone3 io_uring_enter io_uring_register io_uring_setup keyctl openat2 request_key sysfs
`
  .trim()
  .split(/\s+/);

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const FAMILIES = [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK];

const SET_ID = 0o6000n;
/** `O_CREAT`, and the bit of `O_TMPFILE` beside `O_DIRECTORY`: the mode counts only where a file is made. */
const MAKES = 0o100n | 0o20_000_000n;

/** `CLONE_NEW*` of clone(2). `CLONE_NEWTIME` is one of unshare(2) only. */
const NEW_NAMESPACES = 0x7e02_0000n;
const NEW_TIME = 0x80n;
const NEW_CGROUP = 0x0200_0000n;

const TIOCSTI = 0x5412n;
const TIOCLINUX = 0x541cn;

/** Pid 1 of the sandbox may have the program's own uid. */
const INIT = 1n;

/** `PER_LINUX`, `PER_LINUX32`, both with the uname of an older kernel, and the question which it is. */
const PERSONALITIES = [0x0n, 0x8n, 0x2_0000n, 0x2_0008n, 0xffff_ffffn];
const NO_RANDOMIZATION = 0x4_0000n;

/** Where arguments decide. */
const LIMITED: Readonly<Record<string, Rule[]>> = {
  clone: [allowed(without(0, NEW_NAMESPACES)), always(errno(EPERM))],
  unshare: [allowed(without(0, NEW_NAMESPACES | NEW_TIME)), always(errno(EPERM))],
  socket: ofFamilies(),
  socketpair: ofFamilies(),
  ioctl: [denied(equal(1, TIOCSTI)), denied(equal(1, TIOCLINUX)), always(ALLOW)],
  prlimit64: [denied(equal(0, INIT)), always(ALLOW)],
  pidfd_open: [denied(equal(0, INIT)), always(ALLOW)],
  chmod: withoutSetId(1),
  fchmod: withoutSetId(1),
  fchmodat: withoutSetId(2),
  fchmodat2: withoutSetId(2),
  creat: withoutSetId(1),
  mknod: withoutSetId(1),
  mknodat: withoutSetId(2),
  open: withoutSetId(2, 1),
  openat: withoutSetId(3, 2),
};

/**
 * What a sandbox inside the sandbox is made with. The kernel lets a program without capabilities do nothing of it before it
 * has made a user namespace. No cgroup namespace: who makes one can mount the cgroups in which the sandbox is, and where
 * they belong to the caller, lift its limits or end what else is in them. The newer calls for mounts answer ENOSYS, so
 * that programs fall back to mount.
 */
const NESTING: Readonly<Record<string, Rule[]>> = {
  clone: [allowed(without(0, NEW_CGROUP)), always(errno(EPERM))],
  unshare: [allowed(without(0, NEW_CGROUP | NEW_TIME)), always(errno(EPERM))],
  ...Object.fromEntries(
    ["chroot", "mount", "pivot_root", "sethostname", "umount2"].map((call) => [
      call,
      [always(ALLOW)],
    ]),
  ),
  ...Object.fromEntries(
    "fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree open_tree_attr"
      .split(" ")
      .map((call) => [call, [always(errno(ENOSYS))]]),
  ),
};

const NOT_DEBUGGING: Readonly<Record<string, Rule[]>> = {
  personality: [...PERSONALITIES.map((value) => allowed(equal(0, value))), always(errno(EPERM))],
};

/** A debugger that reaches into everything but pid 1. */
const INTO_INIT: Readonly<Record<string, Rule[]>> = {
  kcmp: [denied(equal(0, INIT)), denied(equal(1, INIT)), always(ALLOW)],
  process_vm_readv: [denied(equal(0, INIT)), always(ALLOW)],
  process_vm_writev: [denied(equal(0, INIT)), always(ALLOW)],
  ptrace: [denied(equal(1, INIT)), always(ALLOW)],
  personality: [
    ...PERSONALITIES.map((value) => allowed(equal(0, value))),
    ...PERSONALITIES.slice(0, 2).map((value) => allowed(equal(0, value | NO_RANDOMIZATION))),
    always(errno(EPERM)),
  ],
};

function ofFamilies(): Rule[] {
  return [
    ...FAMILIES.map((family) => allowed(equal(0, BigInt(family)))),
    always(errno(EAFNOSUPPORT)),
  ];
}

/** @param flags - The argument that says whether a file is made; elsewhere the mode may be anything. */
function withoutSetId(mode: number, flags?: number): Rule[] {
  const makesNone = flags === undefined ? [] : [allowed(without(flags, MAKES))];
  return [allowed(without(mode, SET_ID)), ...makesNone, always(errno(EPERM))];
}

function always(verdict: number): Rule {
  return { conditions: [], verdict };
}

function allowed(condition: Condition): Rule {
  return { conditions: [condition], verdict: ALLOW };
}

function denied(condition: Condition): Rule {
  return { conditions: [condition], verdict: errno(EPERM) };
}

function equal(argument: number, value: bigint): Condition {
  return { argument, operator: "EQ", value };
}

/** That none of these bits is set. */
function without(argument: number, mask: bigint): Condition {
  return { argument, operator: "MASKED_EQ", value: 0n, mask };
}
