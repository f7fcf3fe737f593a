import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A call of the kernel: its name, its arguments, and on x64 by which ABI it is made. */
export interface KernelCall {
  readonly name: keyof typeof NUMBERS.i386;
  readonly args: readonly (number | bigint)[];
  /** `i386`: through `int 0x80`, as a 32-bit program's. `x32`: with the bit of that ABI. */
  readonly abi?: "i386" | "x32";
}

/** Where the data of a caller lies in its memory. */
export const DATA = 0x40_0078;

/** Why there is no caller for this machine; undefined where there is. */
export function noCaller(): string | undefined {
  return process.arch === "x64" || process.arch === "arm64"
    ? undefined
    : `the kit has no program of its own for ${process.arch}`;
}

/**
 * A static program, made without a compiler, that makes some calls one after the other and exits with the errno of the
 * last, or with 0.
 *
 * @param data - What lies at {@link DATA}, at most 64 bytes; it cannot be written.
 */
export function caller(calls: readonly KernelCall[], data: Uint8Array = new Uint8Array()): Buffer {
  const isArm = process.arch === "arm64";
  const code = Buffer.concat(
    isArm ? [...calls.map(callArm), ARM_EXIT] : [...calls.map(callX86), X86_EXIT],
  );
  const head = Buffer.alloc(HEAD);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 16); // ET_EXEC
  head.writeUInt16LE(isArm ? 183 : 62, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(BASE + HEAD), 24); // the entry
  head.writeBigUInt64LE(64n, 32); // the program header
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64); // PT_LOAD
  head.writeUInt32LE(5, 68); // readable and executable
  head.writeBigUInt64LE(BigInt(BASE), 80);
  head.writeBigUInt64LE(BigInt(BASE), 88);
  head.writeBigUInt64LE(BigInt(HEAD + code.length), 96);
  head.writeBigUInt64LE(BigInt(HEAD + code.length), 104);
  head.writeBigUInt64LE(0x1_0000n, 112);
  head.set(data, DATA - BASE);
  return Buffer.concat([head, code]);
}

/** Whether a 64-bit program of this host can make the calls of a 32-bit one: kernels can be built and started without. */
export function has32BitCalls(): boolean {
  tried ??= process.arch === "x64" && can32BitCalls();
  return tried;
}

let tried: boolean | undefined;

function can32BitCalls(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-caller-"));
  try {
    const program = join(directory, "caller");
    writeFileSync(program, caller([{ name: "socketcall", args: [0], abi: "i386" }]), {
      mode: 0o700,
    });
    return spawnSync(program).signal === null;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const BASE = 0x40_0000;
const HEAD = DATA - BASE + 64;

/** For a call that an ABI lacks, a number that no kernel knows. */
const NUMBERS = {
  x64: {
    bpf: 321,
    clone3: 435,
    fchmodat: 268,
    io_uring_setup: 425,
    ioctl: 16,
    keyctl: 250,
    mknodat: 259,
    mount: 165,
    openat: 257,
    openat2: 437,
    pidfd_getfd: 438,
    pidfd_open: 434,
    process_vm_readv: 310,
    process_vm_writev: 311,
    ptrace: 101,
    setsid: 112,
    setuid: 105,
    socket: 41,
    socketcall: 0xffff,
    umount2: 166,
    unshare: 272,
    userfaultfd: 323,
    write: 1,
  },
  i386: {
    bpf: 357,
    clone3: 435,
    fchmodat: 306,
    io_uring_setup: 425,
    ioctl: 54,
    keyctl: 288,
    mknodat: 297,
    mount: 21,
    openat: 295,
    openat2: 437,
    pidfd_getfd: 438,
    pidfd_open: 434,
    process_vm_readv: 347,
    process_vm_writev: 348,
    ptrace: 26,
    setsid: 66,
    setuid: 213,
    socket: 359,
    socketcall: 102,
    umount2: 52,
    unshare: 310,
    userfaultfd: 374,
    write: 4,
  },
  arm64: {
    bpf: 280,
    clone3: 435,
    fchmodat: 53,
    io_uring_setup: 425,
    ioctl: 29,
    keyctl: 219,
    mknodat: 33,
    mount: 40,
    openat: 56,
    openat2: 437,
    pidfd_getfd: 438,
    pidfd_open: 434,
    process_vm_readv: 270,
    process_vm_writev: 271,
    ptrace: 117,
    setsid: 157,
    setuid: 146,
    socket: 198,
    socketcall: 0xffff,
    umount2: 39,
    unshare: 97,
    userfaultfd: 282,
    write: 64,
  },
} as const;

/** `mov`, with 64 bits, into rax and the registers of the arguments. */
const X64 = [0x48b8, 0x48bf, 0x48be, 0x48ba, 0x49ba, 0x49b8, 0x49b9] as const;
const I386 = [0x48b8, 0x48bb, 0x48b9, 0x48ba, 0x48be, 0x48bf, 0x48bd] as const;
/** `neg eax; mov edi, eax; mov eax, 60; syscall` */
const X86_EXIT = Buffer.from("f7d889c7b83c0000000f05", "hex");

/** `__X32_SYSCALL_BIT` of asm/unistd.h. */
const X32 = 0x4000_0000;

function callX86({ name, args, abi }: KernelCall): Buffer {
  const as32 = abi === "i386";
  const number = NUMBERS[as32 ? "i386" : "x64"][name] | (abi === "x32" ? X32 : 0);
  const moves = [number, ...args].map((value, index) => {
    const move = Buffer.alloc(10);
    move.writeUInt16BE((as32 ? I386 : X64)[index] ?? 0);
    move.writeBigUInt64LE(BigInt(value), 2);
    return move;
  });
  return Buffer.concat([...moves, Buffer.from(as32 ? "cd80" : "0f05", "hex")]);
}

const SVC = 0xd400_0001;
/** `neg w0, w0; mov x8, 93; svc 0` */
const ARM_EXIT = words(0x4b00_03e0, ...moveArm(8, 93n), SVC);

function callArm({ name, args }: KernelCall): Buffer {
  const moves = args.flatMap((value, register) => moveArm(register, BigInt(value)));
  return words(...moves, ...moveArm(8, BigInt(NUMBERS.arm64[name])), SVC);
}

/** Sixteen bits at a time: `movz`, then `movk`. */
function moveArm(register: number, value: bigint): number[] {
  return [0, 1, 2, 3].map((part) => {
    const bits = Number((value >> BigInt(16 * part)) & 0xffffn);
    return ((part === 0 ? 0xd280_0000 : 0xf280_0000) | (part << 21) | (bits << 5) | register) >>> 0;
  });
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
}
