import { ABIS, type AbiName, type Call, callsOf } from "./abi.js";
import { Assembler, JUMP, type Place } from "./assembler.js";
import { emitConditions } from "./conditions.js";
import { narrowed } from "./narrowed.js";
import { ENOSYS, errno, isPassing, type Policy, type Rule, type Verdict } from "./policy.js";

/** Where `struct seccomp_data` of seccomp(2) has the number of the call, and the ABI. */
const NUMBER = 0;
const ARCHITECTURE = 4;

/**
 * Writes a policy as classic BPF: a binary search over ranges of numbers, with the conditions on arguments as leaves. No
 * argument is loaded before the number is known to have a rule on it: the kernel then finds out once, when it loads the
 * filter, which numbers are always allowed, and runs nothing for them any more.
 *
 * @returns An array of `struct sock_filter`, little-endian.
 */
export function assemble(policy: Policy): Uint8Array {
  const program = new Assembler();
  let next = program.give(policy.foreign);
  for (const [audit, abis] of byAudit(policy.abis)) {
    const section = emitSection(program, policy, abis);
    // It may lie farther away than a jump reaches.
    next = program.jump(JUMP.equal, audit, section, next);
  }
  program.load(ARCHITECTURE, next);
  return program.bytes();
}

/** The ABIs by the word by which a filter knows them, the native one last: what is written last is looked at first. */
function byAudit(abis: readonly AbiName[]): [number, AbiName[]][] {
  const groups = new Map<number, AbiName[]>();
  for (const abi of abis) {
    const { audit } = ABIS[abi];
    groups.set(audit, [...(groups.get(audit) ?? []), abi]);
  }
  return [...groups].reverse();
}

/** Numbers from `from` on, up to the next range, that are treated alike. */
interface Range {
  readonly from: number;
  /** Two ranges with the same text have the same rules on arguments of the same size. */
  readonly text: string;
  readonly call: Call | undefined;
  readonly rules: readonly Rule[];
}

function emitSection(program: Assembler, policy: Policy, abis: readonly AbiName[]): Place {
  const ranges = abis.flatMap((abi) => rangesOf(policy, abi)).sort((a, b) => a.from - b.from);
  const isWithoutX32 = abis.includes("x86_64") && !abis.includes("x32");
  const merged = mergeRanges(ranges, policy, isWithoutX32);
  const leaves = new Map<string, Place>();
  const has32Bits = abis.some((abi) => ABIS[abi].has32Bits === true);
  const start = emitSearch(program, merged, ({ text, call, rules }) => {
    const place = leaves.get(text) ?? emitRules(program, policy.otherwise, rules, call, has32Bits);
    // A verdict is written again where it is too far away; the rules on an argument are reached by a detour.
    if (rules.some(({ conditions }) => conditions.length > 0)) leaves.set(text, place);
    return place;
  });
  return program.load(NUMBER, start);
}

function rangesOf(policy: Policy, abi: AbiName): Range[] {
  const rules = narrowed(policy, abi);
  return callsOf(abi).map((call) => {
    const own = (rules.get(call.name) ?? []).slice();
    const isConditional = own.some(({ conditions }) => conditions.length > 0);
    const text = isConditional ? `${call.widths} ${textOf(own)}` : textOf(own);
    return { from: call.number, text, call, rules: own };
  });
}

function textOf(rules: readonly Rule[]): string {
  return JSON.stringify(rules, (_key, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

/** The numbers of x32 begin here. They share the word of x86-64. */
const X32 = 0x4000_0000;

/**
 * Fills the gaps between the numbers with the verdict for unknown ones, and joins neighbours that are treated alike.
 *
 * @param isWithoutX32 - Numbers of x32 are not there, even where what is unknown is allowed: most of them are calls of
 * x86-64 by another number, and would pass its rules.
 */
function mergeRanges(calls: readonly Range[], { unknown }: Policy, isWithoutX32: boolean): Range[] {
  const gap = (from: number): Range => {
    const isX32 = isWithoutX32 && from >= X32 && isPassing(unknown);
    const rules = [{ conditions: [], verdict: isX32 ? errno(ENOSYS) : unknown }];
    return { from, text: textOf(rules), call: undefined, rules };
  };
  const filled: Range[] = [gap(0)];
  for (const [index, call] of calls.entries()) {
    filled.push(call);
    if (calls[index + 1]?.from !== call.from + 1) filled.push(gap(call.from + 1));
  }
  if (isWithoutX32) filled.push(gap(X32));
  const distinct = filled.filter(({ from }, index) => filled[index + 1]?.from !== from);
  return distinct.filter(({ text }, index) => distinct[index - 1]?.text !== text);
}

function emitSearch(
  program: Assembler,
  ranges: readonly Range[],
  leaf: (range: Range) => Place,
): Place {
  const [only] = ranges;
  if (ranges.length === 1 && only !== undefined) return leaf(only);
  const middle = ranges.length >> 1;
  const right = emitSearch(program, ranges.slice(middle), leaf);
  const left = emitSearch(program, ranges.slice(0, middle), leaf);
  return program.jump(JUMP.notLess, ranges[middle]?.from ?? 0, right, left);
}

function emitRules(
  program: Assembler,
  otherwise: Verdict,
  rules: readonly Rule[],
  call: Call | undefined,
  has32Bits: boolean,
): Place {
  let next: Place | undefined;
  for (const { conditions, verdict } of rules.toReversed()) {
    const given = program.give(verdict);
    if (conditions.length === 0) next = given;
    else {
      const known = call?.widths ?? "";
      const widths = has32Bits ? known.padEnd(6, "l").replaceAll("l", "i") : known;
      next = emitConditions(program, conditions, widths, given, next ?? program.give(otherwise));
    }
  }
  return next ?? program.give(otherwise);
}
