import { describe, expect, it } from "vitest";
import { ABIS, callsOf } from "../src/abi.js";
import { compileSeccomp, type SeccompProfile, type SeccompTarget } from "../src/index.js";
import { interpret } from "./interpreter.js";

const ALLOWING = { names: ["getppid"], action: "SCMP_ACT_ALLOW" } as const;
const DENYING = { names: ["getppid"], action: "SCMP_ACT_KILL" } as const;
const ONE = { index: 0, value: 1, op: "SCMP_CMP_EQ" } as const;

function withRules(...syscalls: object[]): object {
  return { defaultAction: "SCMP_ACT_ERRNO", syscalls };
}

function cyclic(): object {
  const one: { self?: object } = {};
  one.self = one;
  return one;
}

describe("what is wrong in a profile is named", () => {
  it.each<[string, unknown]>([
    ["must be an object, not null", null],
    [
      "defaultAction: must be one of SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_TRACE, SCMP_ACT_TRAP, not absent",
      {},
    ],
    [
      'defaultAction: must be one of SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_TRACE, SCMP_ACT_TRAP, not "SCMP_ACT_NOTIFY"',
      { defaultAction: "SCMP_ACT_NOTIFY" },
    ],
    ["sycalls: is not known", { defaultAction: "SCMP_ACT_ALLOW", sycalls: [] }],
    ["listenerPath: is not known", { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/x" }],
    [
      'flags[0]: must be one of SECCOMP_FILTER_FLAG_TSYNC, not "SECCOMP_FILTER_FLAG_LOG"',
      { defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_LOG"] },
    ],
    [
      "defaultErrnoRet: must be a whole number from 0 to 4095, not 5000",
      { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 5000 },
    ],
    ["syscalls: must be a list, not {}", { defaultAction: "SCMP_ACT_ERRNO", syscalls: {} }],
    ["syscalls[0].names[0]: must be a string, not 3", withRules({ ...ALLOWING, names: [3] })],
    ["syscalls[0].name: is there beside `names`", withRules({ ...ALLOWING, name: "read" })],
    [
      "syscalls[0]: must be an object, not absent",
      { defaultAction: "SCMP_ACT_ERRNO", syscalls: Array(1) },
    ],
    [
      "syscalls[0].names[0]: must be a string, not a value of type object",
      withRules({ ...ALLOWING, names: [cyclic()] }),
    ],
    [
      "syscalls[4096]: is one rule with conditions more than 4096",
      withRules(
        ...Array.from({ length: 5000 }, (_, value) => ({ ...ALLOWING, args: [{ ...ONE, value }] })),
      ),
    ],
    [
      "syscalls[0].args[0].index: must be a whole number from 0 to 5, not 6",
      withRules({ ...ALLOWING, args: [{ ...ONE, index: 6 }] }),
    ],
    [
      "syscalls[0].args[0].value: must be a whole number of at most 64 bits, not -1",
      withRules({ ...ALLOWING, args: [{ ...ONE, value: -1 }] }),
    ],
    [
      "syscalls[0].args[0].value: must be a whole number of at most 64 bits, not 18446744073709552000",
      withRules({ ...ALLOWING, args: [{ ...ONE, value: 2 ** 64 }] }),
    ],
    [
      'syscalls[0].args[0].op: must be one of SCMP_CMP_EQ, SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_GT, SCMP_CMP_GE, SCMP_CMP_MASKED_EQ, not "EQ"',
      withRules({ ...ALLOWING, args: [{ ...ONE, op: "EQ" }] }),
    ],
    [
      "syscalls[0].args: argument 0 has two conditions",
      withRules({ ...ALLOWING, args: [ONE, { ...ONE, value: 2 }] }),
    ],
    ["syscalls[1]: getppid has another action already", withRules(ALLOWING, DENYING)],
    [
      "syscalls[1]: getppid has another action already",
      withRules({ ...DENYING, args: [ONE] }, ALLOWING),
    ],
    [
      "syscalls[0].includes.minKernel: must be major.minor, such as 4.8",
      withRules({ ...ALLOWING, includes: { minKernel: "new" } }),
    ],
    [
      "syscalls[0].includes.kernel: is not known",
      withRules({ ...ALLOWING, includes: { kernel: "4.8" } }),
    ],
    [
      "archMap: is there beside `architectures`",
      {
        defaultAction: "SCMP_ACT_ALLOW",
        architectures: ["SCMP_ARCH_X86"],
        archMap: [{ architecture: "SCMP_ARCH_X86_64" }],
      },
    ],
  ])("%s", (message, profile) => {
    expect(() => compileSeccomp(profile as SeccompProfile)).toThrow(
      expect.objectContaining({ name: "SeccompError", message }),
    );
  });

  it("a call that no table knows cannot be denied where all others are allowed", () => {
    const syscalls = [{ names: ["ptrce"], action: "SCMP_ACT_ERRNO" as const }];
    expect(() => compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls })).toThrow(
      "syscalls[0]: no table knows the call ptrce, and what is not named is allowed",
    );
  });

  it("calls that no table knows are named, and the rest holds", () => {
    const profile = withRules({
      ...ALLOWING,
      names: ["getppid", "frobnicate", "s390_pci_mmio_read"],
    });
    expect(compileSeccomp(profile as SeccompProfile).unknown).toEqual([
      "frobnicate",
      "s390_pci_mmio_read",
    ]);
  });
});

describe("includes and excludes", () => {
  const getppid = callsOf("x86_64").find(({ name }) => name === "getppid")?.number ?? 0;
  const isAllowed = (rule: object, target: SeccompTarget = {}): boolean => {
    const profile = withRules({ ...ALLOWING, ...rule }) as SeccompProfile;
    const { filter } = compileSeccomp(profile, { arch: "x64", kernel: "5.10.3-x", ...target });
    const asked = { number: getppid, audit: ABIS.x86_64.audit };
    return interpret(filter, asked).verdict === 0x7fff_0000;
  };
  const CAPS = ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"];

  it("`includes` wants all capabilities, `excludes` none of them", () => {
    const some = { capabilities: CAPS.slice(1) };
    const both = { capabilities: CAPS };
    expect(
      [{}, some, both].map((target) => isAllowed({ includes: { caps: CAPS } }, target)),
    ).toEqual([false, false, true]);
    expect(
      [{}, some, both].map((target) => isAllowed({ excludes: { caps: CAPS } }, target)),
    ).toEqual([true, false, false]);
  });

  it("architectures are the native one, by the names of Go", () => {
    expect(isAllowed({ includes: { arches: ["amd64", "x32"] } })).toBe(true);
    expect(isAllowed({ includes: { arches: ["s390x"] } })).toBe(false);
    expect(isAllowed({ excludes: { arches: ["amd64"] } })).toBe(false);
  });

  it("a kernel is compared by its numbers", () => {
    const by = (minKernel: string): boolean[] => [
      isAllowed({ includes: { minKernel } }),
      isAllowed({ excludes: { minKernel } }),
    ];
    expect([by("4.8"), by("5.9"), by("5.10"), by("5.11"), by("6.1")]).toEqual([
      [true, false],
      [true, false],
      [true, false],
      [false, true],
      [false, true],
    ]);
  });

  it("`archMap` adds the ABIs of the native one only", () => {
    const archMap = [
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
      { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    ];
    const profile: SeccompProfile = { defaultAction: "SCMP_ACT_ALLOW", archMap };
    const { filter } = compileSeccomp(profile, { arch: "x64" });
    const asked = (["x86_64", "i386", "arm"] as const).map(
      (abi) => interpret(filter, { number: 1, audit: ABIS[abi].audit }).verdict,
    );
    expect(asked).toEqual([0x7fff_0000, 0x7fff_0000, 0x8000_0000]);
  });
});
