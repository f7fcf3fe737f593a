import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIS, callsOf } from "../src/abi.js";
import { compileSeccomp, type SeccompProfile } from "../src/index.js";
import { interpret } from "./interpreter.js";
import { ask, noKernel } from "./kernel.js";
import {
  CALLS,
  generator,
  meaning,
  randomProfile,
  randomRules,
  someArguments,
  verdictText,
} from "./policies.js";

const ENOSYS = 0x0005_0000 + 38;
const EPERM = 0x0005_0001;
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const WAYS_ROUND = ["clone3", "io_uring_setup", "openat2"];

describe("a profile", () => {
  it("means what is written in it, with hundreds of rules on arguments, too", () => {
    const profile = fc.oneof(randomProfile(25, false), randomProfile(200, false));
    const random = generator(5);
    for (const each of fc.sample(profile, { numRuns: 300, seed: 2 })) {
      const { filter } = compileSeccomp(each, { arch: "x64" });
      const ruled = new Set(each.syscalls.map(({ names }) => names[0]));
      const differ = CALLS.filter(({ name }) => !WAYS_ROUND.includes(name)).flatMap((call) =>
        Array.from({ length: ruled.has(call.name) ? 20 : 1 }, () => {
          const args = someArguments(call, random);
          const asked = { ...call, audit: ABIS.x86_64.audit, args };
          return [asked, interpret(filter, asked).verdict, meaning(each, call.name, args)] as const;
        }).filter(([, found, meant]) => found !== meant),
      );
      expect(differ).toEqual([]);
    }
  });

  it.skipIf(noKernel !== undefined || process.arch !== "x64")(
    `is understood by the kernel as by the interpreter${noKernel === undefined ? "" : ` (${noKernel})`}`,
    () => {
      const [getppid] = CALLS.filter(({ name }) => name === "getppid");
      if (getppid === undefined) throw new Error("there is no getppid");
      const random = generator(11);
      for (const syscalls of fc.sample(randomRules(getppid), { numRuns: 20, seed: 4 })) {
        const { filter } = compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
        const calls = Array.from({ length: 12 }, () => ({
          ...getppid,
          audit: ABIS.x86_64.audit,
          args: someArguments(getppid, random),
        }));
        const expected = calls.map((call) => verdictText(interpret(filter, call).verdict));
        expect(ask(filter, calls)).toEqual(expected);
      }
    },
    120_000,
  );

  it("of more rules than the kernel takes is refused", () => {
    const syscalls = Array.from({ length: 3000 }, (_, value) => ({
      names: ["getppid"],
      action: "SCMP_ACT_ERRNO" as const,
      args: [{ index: 0, value, op: "SCMP_CMP_EQ" as const }],
    }));
    expect(() => compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls })).toThrow(
      /^syscalls: has too many rules: \d+ instructions, and the kernel takes 4096$/,
    );
  });
});

/** Docker's ban of other families than those below 38. */
const NO_ALG: SeccompProfile = {
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
  syscalls: [
    {
      names: ["bind", "clone3", "io_uring_setup", "openat2", "socketcall"],
      action: "SCMP_ACT_ALLOW",
    },
    {
      names: ["socket"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 38, op: "SCMP_CMP_LT" }],
    },
  ],
};

describe("no way leads round a rule on arguments", () => {
  const { filter } = compileSeccomp(NO_ALG, { arch: "x64" });
  const verdict = (abi: "x86_64" | "x32" | "i386", name: string, args: readonly bigint[] = []) => {
    const number = callsOf(abi).find((call) => call.name === name)?.number;
    if (number === undefined) throw new Error(`${abi} has no ${name}`);
    return interpret(filter, { number, audit: ABIS[abi].audit, args }).verdict;
  };

  it("bits beyond those at which the kernel looks change nothing", () => {
    expect(verdict("x86_64", "socket", [1n])).toBe(ALLOW);
    expect(verdict("x86_64", "socket", [40n])).toBe(EPERM);
    expect(verdict("x86_64", "socket", [0x1_0000_0001n])).toBe(ALLOW);
    expect(verdict("x86_64", "socket", [0x1_0000_0028n])).toBe(EPERM);
    expect(verdict("i386", "socket", [0x1_0000_0028n])).toBe(EPERM);
  });

  it("a call whose arguments lie in memory is not there beside one whose arguments count", () => {
    expect(verdict("i386", "socketcall")).toBe(ENOSYS);
    expect(verdict("x86_64", "io_uring_setup")).toBe(ENOSYS);
    expect(verdict("x86_64", "clone3")).toBe(ENOSYS);
    expect(verdict("i386", "bind")).toBe(ALLOW);
  });

  it("and stays where it passes no rule", () => {
    const open = compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW" }, { arch: "x64" }).filter;
    const { audit } = ABIS.x86_64;
    const numbers = CALLS.filter(({ name }) => WAYS_ROUND.includes(name)).map(
      (call) => call.number,
    );
    expect(numbers.map((number) => interpret(open, { number, audit }).verdict)).toEqual([
      ALLOW,
      ALLOW,
      ALLOW,
    ]);
  });

  it("an ABI that the profile does not list ends the process", () => {
    const native = compileSeccomp({ ...NO_ALG, architectures: [] }, { arch: "x64" }).filter;
    const asked = { number: 102, audit: ABIS.i386.audit };
    expect(interpret(native, asked).verdict).toBe(KILL_PROCESS);
    expect(verdict("x32", "bind")).toBe(ENOSYS);
  });

  it("a number of x32 is not there unless the profile lists it, also where the rest is allowed", () => {
    const syscalls = [{ names: ["socket"], action: "SCMP_ACT_ERRNO" as const }];
    const open = { defaultAction: "SCMP_ACT_ALLOW" as const, syscalls };
    const { audit } = ABIS.x86_64;
    const verdicts = (architectures: readonly string[]): number[] => {
      const { filter: made } = compileSeccomp({ ...open, architectures }, { arch: "x64" });
      return [41, 0, 999].map(
        (number) => interpret(made, { number: 0x4000_0000 + number, audit }).verdict,
      );
    };
    expect(verdicts([])).toEqual([ENOSYS, ENOSYS, ENOSYS]);
    expect(verdicts(["SCMP_ARCH_X32"])).toEqual([EPERM, ALLOW, ALLOW]);
  });

  it("a number that no table knows is answered as by an older kernel, unless the profile allows what it does not name", () => {
    const numbers = [335, 470, 100_000, 0x3fff_ffff];
    const { audit } = ABIS.x86_64;
    const open = compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW" }, { arch: "x64" }).filter;
    expect(numbers.map((number) => interpret(filter, { number, audit }).verdict)).toEqual(
      numbers.map(() => ENOSYS),
    );
    expect(numbers.map((number) => interpret(open, { number, audit }).verdict)).toEqual(
      numbers.map(() => ALLOW),
    );
  });
});
