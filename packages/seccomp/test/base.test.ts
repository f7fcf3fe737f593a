import { describe, expect, it } from "vitest";
import { compiledSeccomp } from "../src/compiled.js";
import { interpret as run } from "./interpreter.js";

const [ALLOW, EPERM, ENOSYS] = [0x7fff_0000, 0x0005_0001, 0x0005_0026];
const TIOCSTI = 0x5412n;
const TIOCLINUX = 0x541cn;
/** What the kernel cuts off an argument that is an int. */
const JUNK = 0xdead_beef_0000_0000n;

/** As `struct seccomp_data` has them. */
interface Made {
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly bigint[] | undefined;
}

/** A kernel's word for an ABI, and the numbers in it of the calls below. */
const ABIS = {
  "x86-64": [0xc000_003e, { ioctl: 16, ptrace: 101, pidfd_open: 434, process_vm_readv: 310 }],
  i386: [0x4000_0003, { ioctl: 54, ptrace: 26, pidfd_open: 434, process_vm_readv: 347 }],
  arm64: [0xc000_00b7, { ioctl: 29, ptrace: 117, pidfd_open: 434, process_vm_readv: 270 }],
  arm: [0x4000_0028, { ioctl: 54, ptrace: 26, pidfd_open: 434, process_vm_readv: 376 }],
  riscv64: [0xc000_00f3, { ioctl: 29, ptrace: 117, pidfd_open: 434, process_vm_readv: 270 }],
} as const;
const MORE = {
  "x86-64": { process_vm_writev: 311, kcmp: 312, prlimit64: 302, perf_event_open: 298, open: 304 },
  i386: { process_vm_writev: 348, kcmp: 349, prlimit64: 340, perf_event_open: 336, open: 342 },
  arm64: { process_vm_writev: 271, kcmp: 272, prlimit64: 261, perf_event_open: 241, open: 265 },
  arm: { process_vm_writev: 377, kcmp: 378, prlimit64: 369, perf_event_open: 364, open: 371 },
} as const;
const KNOWN = [
  ["x64", "x86-64"],
  ["x64", "i386"],
  ["ia32", "x86-64"],
  ["ia32", "i386"],
  ["arm64", "arm64"],
  ["arm64", "arm"],
  ["arm", "arm64"],
  ["arm", "arm"],
  ["riscv64", "riscv64"],
] as const;

describe.each(KNOWN)("the filter of every sandbox on %s, called as %s", (machine, abi) => {
  const [arch, numbers] = ABIS[abi];
  const asked = (number: number, ...args: readonly bigint[]): number =>
    interpret(compiledSeccomp("base", machine), { arch, number, args });

  it("denies typing into a terminal, whatever the upper half of the request", () => {
    for (const request of [TIOCSTI, TIOCLINUX])
      for (const junk of [0n, JUNK]) expect(asked(numbers.ioctl, 0n, request | junk)).toBe(EPERM);
  });

  it("denies taking an fd of another process, whose pidfd a socket may have given", () => {
    const getfd = numbers.pidfd_open + 4;
    expect(asked(getfd, 3n, 3n)).toBe(EPERM);
  });

  it("allows every other ioctl", () => {
    for (const request of [0x5401n, 0x5411n, 0x540en, 0x5413n, TIOCSTI << 32n, 0n])
      expect(asked(numbers.ioctl, TIOCSTI, request, TIOCSTI)).toBe(ALLOW);
  });

  it("denies what reaches into pid 1, and allows the same with others", () => {
    for (const pid of [1n, 1n | JUNK]) {
      expect(asked(numbers.ptrace, 0x4206n, pid)).toBe(EPERM);
      expect(asked(numbers.pidfd_open, pid)).toBe(EPERM);
      expect(asked(numbers.process_vm_readv, pid, 7n)).toBe(EPERM);
    }
    for (const pid of [0n, 2n, 1n << 32n, 0x101n]) {
      expect(asked(numbers.ptrace, 1n, pid)).toBe(ALLOW);
      expect(asked(numbers.pidfd_open, pid, 1n)).toBe(ALLOW);
      expect(asked(numbers.process_vm_readv, pid, 1n)).toBe(ALLOW);
    }
  });

  it("looks at no argument of a call that has no rule", () => {
    const ruled = new Set<number>(Object.values(numbers));
    for (const number of [0, 1, 2, 3, 15, 17, 59, 100, 102, 221, 433, 435, 999])
      if (!ruled.has(number))
        expect(interpret(compiledSeccomp("base", machine), { arch, number })).toBe(ALLOW);
  });
});

describe.each([
  ["x64", "x86-64"],
  ["x64", "i386"],
  ["arm64", "arm64"],
  ["arm64", "arm"],
] as const)("the filter of %s, called as %s, denies with pid 1", (machine, abi) => {
  const { process_vm_writev, kcmp, prlimit64, perf_event_open, open } = MORE[abi];
  const asked = (number: number, ...args: readonly bigint[]): number =>
    interpret(compiledSeccomp("base", machine), { arch: ABIS[abi][0], number, args });

  it.each([
    ["process_vm_writev", process_vm_writev, 0],
    ["prlimit64", prlimit64, 0],
    ["perf_event_open", perf_event_open, 1],
    ["kcmp", kcmp, 0],
    ["kcmp, the second time", kcmp, 1],
  ])("%s", (_, number, index) => {
    const args = (pid: bigint): bigint[] => [7n, 7n].with(index, pid);
    expect(asked(number, ...args(1n | JUNK))).toBe(EPERM);
    expect(asked(number, ...args(2n))).toBe(ALLOW);
  });

  it("open_by_handle_at, whose handle may be a number of that process", () => {
    expect(asked(open)).toBe(EPERM);
  });
});

describe("the filter", () => {
  it("answers ENOSYS to everything in an ABI that it does not know", () => {
    for (const [machine, arch] of [
      ["x64", 0xc000_00b7],
      ["x64", 0],
      ["arm64", 0xc000_003e],
      ["s390x", 0x8000_0016],
    ] as const)
      for (const number of [0, 1, 16, 59, 221])
        expect(interpret(compiledSeccomp("base", machine), { arch, number })).toBe(ENOSYS);
  });

  it("has no x32, by its own numbers or those of x86-64", () => {
    for (const number of [0, 16, 101, 310, 434, 514, 521, 539])
      expect(
        interpret(compiledSeccomp("base", "x64"), {
          arch: 0xc000_003e,
          number: 0x4000_0000 + number,
        }),
      ).toBe(ENOSYS);
  });
});

/** What seccomp(2) does with the program. */
function interpret(bytes: Uint8Array, { arch, number, args }: Made): number {
  return run(bytes, { number, audit: arch, args: args ?? [] }).verdict;
}
