/** The calls with a rule, by their names in syscalls(2). */
export type Call =
  | "ioctl"
  | "kcmp"
  | "open_by_handle_at"
  | "perf_event_open"
  | "pidfd_getfd"
  | "pidfd_open"
  | "prlimit64"
  | "process_vm_readv"
  | "process_vm_writev"
  | "ptrace";

/** A way to call the kernel: the word by which a filter knows it, and its numbers. */
export interface Abi {
  /** `AUDIT_ARCH_*` of linux/audit.h. */
  readonly arch: number;
  /** Bits of a number that only say how its arguments are passed. */
  readonly ignored?: number;
  readonly numbers: Readonly<Record<Call, readonly number[]>>;
}

/** Of asm-generic/unistd.h, which newer architectures share. */
const GENERIC: Abi["numbers"] = {
  ioctl: [29],
  kcmp: [272],
  open_by_handle_at: [265],
  perf_event_open: [241],
  pidfd_getfd: [438],
  pidfd_open: [434],
  prlimit64: [261],
  process_vm_readv: [270],
  process_vm_writev: [271],
  ptrace: [117],
};

// x32 has the same word, a bit of its own, and numbers of its own for what passes pointers to structures.
const X86_64: Abi = {
  arch: 0xc000_003e,
  ignored: 0x4000_0000,
  numbers: {
    ioctl: [16, 514],
    kcmp: [312],
    open_by_handle_at: [304],
    perf_event_open: [298],
    pidfd_getfd: [438],
    pidfd_open: [434],
    prlimit64: [302],
    process_vm_readv: [310, 539],
    process_vm_writev: [311, 540],
    ptrace: [101, 521],
  },
};

// A 64-bit program reaches it, too, by `int 0x80`.
const I386: Abi = {
  arch: 0x4000_0003,
  numbers: {
    ioctl: [54],
    kcmp: [349],
    open_by_handle_at: [342],
    perf_event_open: [336],
    pidfd_getfd: [438],
    pidfd_open: [434],
    prlimit64: [340],
    process_vm_readv: [347],
    process_vm_writev: [348],
    ptrace: [26],
  },
};

const AARCH64: Abi = { arch: 0xc000_00b7, numbers: GENERIC };

const ARM: Abi = {
  arch: 0x4000_0028,
  numbers: {
    ioctl: [54],
    kcmp: [378],
    open_by_handle_at: [371],
    perf_event_open: [364],
    pidfd_getfd: [438],
    pidfd_open: [434],
    prlimit64: [369],
    process_vm_readv: [376],
    process_vm_writev: [377],
    ptrace: [26],
  },
};

/**
 * Every ABI that the kernel may execute below a Node of that architecture (`process.arch`), its own first. All of them
 * are little-endian.
 */
export const ABIS: Readonly<Record<string, readonly Abi[]>> = {
  x64: [X86_64, I386],
  ia32: [I386, X86_64],
  arm64: [AARCH64, ARM],
  arm: [ARM, AARCH64],
  riscv64: [{ arch: 0xc000_00f3, numbers: GENERIC }],
};
