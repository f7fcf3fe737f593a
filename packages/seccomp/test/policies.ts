import fc from "fast-check";
import { type Call, callsOf } from "../src/abi.js";
import type { SeccompAction, SeccompArgument, SeccompProfile, SeccompRule } from "../src/index.js";
import type { Operator } from "../src/policy.js";

export const CALLS = callsOf("x86_64");

const NARROW = [0n, 1n, 2n, 40n, 0x5412n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn];
const WIDE = [
  ...NARROW,
  0x1_0000_0000n,
  0x1_0000_0028n,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
];

/** What an argument of a call may be, as far as the kernel looks at it. */
function valuesOf({ widths }: Pick<Call, "widths">, index: number): bigint[] {
  if (widths[index] === "h") return [0n, 1n, 0o644n, 0o4755n, 0o6000n, 0xffffn];
  return widths[index] === "i" ? NARROW : WIDE;
}

const OPERATORS = ["EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ"] as const;
const EQUALITIES = ["EQ", "NE", "MASKED_EQ"] as const;
const ACTIONS = [
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_LOG",
  "SCMP_ACT_TRAP",
] as const;

export interface RandomProfile extends SeccompProfile {
  readonly syscalls: readonly RandomRule[];
}

interface RandomRule extends SeccompRule {
  readonly names: readonly [string];
  readonly args: readonly SeccompArgument[];
}

/**
 * Profiles in which every call has one action beside the default.
 *
 * @param isSimple - Whether a rule with several conditions, or with one of order, is the only one of its call: libseccomp
 * 2.5.4 is wrong about some others.
 */
export function randomProfile(most: number, isSimple: boolean): fc.Arbitrary<RandomProfile> {
  return fc.constantFrom(...ACTIONS).chain((defaultAction) =>
    fc
      .uniqueArray(fc.constantFrom(...CALLS.filter(({ number }) => number < 440)), {
        maxLength: most,
        selector: ({ name }) => name,
      })
      .chain((chosen) => fc.tuple(...chosen.map((call) => rulesFor(call, defaultAction, isSimple))))
      .map((rules) => ({ defaultAction, syscalls: rules.flat() })),
  );
}

/** Rules for a call, of one action. */
export function randomRules(call: Call): fc.Arbitrary<RandomRule[]> {
  return rulesFor(call, "SCMP_ACT_ALLOW", false);
}

/** What a process sees of a verdict, where the call itself succeeds. */
export function verdictText(verdict: number): string {
  if (verdict === VERDICTS["SCMP_ACT_ALLOW"] || verdict === VERDICTS["SCMP_ACT_LOG"]) return "done";
  const isErrno = verdict >>> 16 === 5;
  return isErrno ? `errno ${verdict & 0xffff}` : "signal 31";
}

function rulesFor(
  call: Call,
  defaultAction: SeccompAction,
  isSimple: boolean,
): fc.Arbitrary<RandomRule[]> {
  const actions = ACTIONS.filter((each) => each !== defaultAction);
  const lists = isSimple
    ? fc.oneof(
        fc.array(conditions(call, 0, 3), { minLength: 1, maxLength: 1 }),
        fc.array(conditions(call, 1, 1, EQUALITIES), { minLength: 1, maxLength: 3 }),
      )
    : fc.array(conditions(call, 1, 3), { minLength: 1, maxLength: 4 });
  return fc
    .tuple(fc.constantFrom(...actions), lists)
    .map(([action, rules]) =>
      rules.map((args): RandomRule => ({ names: [call.name], action, ...ERRNO[action], args })),
    );
}

const ERRNO: Partial<Record<SeccompAction, { errnoRet: number }>> = {
  SCMP_ACT_ERRNO: { errnoRet: 13 },
};

function conditions(
  call: Call,
  least: number,
  most: number,
  operators: readonly Operator[] = OPERATORS,
): fc.Arbitrary<SeccompArgument[]> {
  return fc
    .uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: least, maxLength: most })
    .chain((indexes) => fc.tuple(...indexes.map((index) => condition(call, index, operators))));
}

function condition(
  call: Call,
  index: number,
  operators: readonly Operator[],
): fc.Arbitrary<SeccompArgument> {
  const value = fc.constantFrom(...valuesOf(call, index));
  return fc
    .tuple(fc.constantFrom(...operators), value, value)
    .map(([operator, first, second]) =>
      operator === "MASKED_EQ"
        ? { index, op: "SCMP_CMP_MASKED_EQ", value: first, valueTwo: second & first }
        : { index, op: `SCMP_CMP_${operator}`, value: first },
    );
}

const VERDICTS: Readonly<Record<string, number>> = {
  SCMP_ACT_ALLOW: 0x7fff_0000,
  SCMP_ACT_ERRNO: 0x0005_0001,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
};

/** What a profile means for a call, read word by word. */
export function meaning(
  { defaultAction, syscalls }: RandomProfile,
  name: string,
  args: readonly bigint[],
): number | undefined {
  const decides = syscalls.find((rule) => rule.names[0] === name && rule.args.every(holds(args)));
  return decides?.errnoRet == null
    ? VERDICTS[decides?.action ?? defaultAction]
    : 0x0005_0000 + decides.errnoRet;
}

function holds(args: readonly bigint[]): (condition: SeccompArgument) => boolean {
  return ({ index, op, value, valueTwo }) => {
    const [argument = 0n, bound] = [args[index], BigInt(value)];
    const results: Record<SeccompArgument["op"], boolean> = {
      SCMP_CMP_EQ: argument === bound,
      SCMP_CMP_NE: argument !== bound,
      SCMP_CMP_LT: argument < bound,
      SCMP_CMP_LE: argument <= bound,
      SCMP_CMP_GT: argument > bound,
      SCMP_CMP_GE: argument >= bound,
      SCMP_CMP_MASKED_EQ: (argument & bound) === BigInt(valueTwo ?? 0),
    };
    return results[op];
  };
}

/** Arguments for a call, by a generator that gives the same each time. */
export function someArguments(call: Pick<Call, "widths">, random: () => number): bigint[] {
  return Array.from({ length: 6 }, (_, index) => {
    const values = valuesOf(call, index);
    return values[random() % values.length] ?? 0n;
  });
}

export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}
