import { type Assembler, JUMP, type Place } from "./assembler.js";
import type { Condition } from "./policy.js";

const ALL = 0xffff_ffff;

/**
 * Writes the conditions of a rule, which must all hold.
 *
 * The kernel hands the filter whole registers and looks itself at no more of them than the argument's type has: a filter
 * that compares more is passed with bits that the kernel does not see.
 *
 * @param widths - The size of each argument, as the table of calls has it.
 * @param yes - Where to go when they hold.
 * @param no - Where to go when one does not.
 */
export function emitConditions(
  program: Assembler,
  conditions: readonly Condition[],
  widths: string,
  yes: Place,
  no: Place,
): Place {
  return conditions.reduceRight(
    (next, condition) => emitCondition(program, condition, widths, next, no),
    yes,
  );
}

function emitCondition(
  program: Assembler,
  condition: Condition,
  widths: string,
  yes: Place,
  no: Place,
): Place {
  const width = widths[condition.argument];
  const low = 16 + 8 * condition.argument;
  if (width !== "i" && width !== "h") return emitWhole(program, condition, low, yes, no);
  const bits = width === "h" ? 0xffff : ALL;
  const value = shortened(condition.value, bits);
  if (value > bits) return holdsForLess(condition) ? yes : no;
  return emitWord(program, { ...condition, value: BigInt(value) }, low, bits, yes, no);
}

/** A negative number is written with all its upper bits, and means the same without them. */
function shortened(value: bigint, bits: number): number {
  const isNegative = value >> 32n === 0xffff_ffffn && (value & 0x8000_0000n) !== 0n;
  return Number(isNegative ? value & BigInt(bits) : value);
}

/** Whether a condition holds for every number that is less than its value. */
function holdsForLess({ operator }: Condition): boolean {
  return operator === "NE" || operator === "LT" || operator === "LE";
}

/** Compares one word, or the part of it that counts. */
function emitWord(
  program: Assembler,
  { operator, value, mask = 0n }: Condition,
  offset: number,
  bits: number,
  yes: Place,
  no: Place,
): Place {
  const bitsThatMatter = operator === "MASKED_EQ" ? Number(mask & BigInt(bits)) : bits;
  const k = Number(value);
  if (bitsThatMatter === ALL) {
    const [then, otherwise] = [program.past(yes, offset), program.past(no, offset)];
    return program.load(offset, compare(program, operator, k, then, otherwise));
  }
  if ((k & ~bitsThatMatter) >>> 0 !== 0 && operator === "MASKED_EQ") return no;
  return program.load(offset, program.and(bitsThatMatter, compare(program, operator, k, yes, no)));
}

function compare(
  program: Assembler,
  operator: Condition["operator"],
  k: number,
  yes: Place,
  no: Place,
): Place {
  switch (operator) {
    case "EQ":
    case "MASKED_EQ":
      return program.jump(JUMP.equal, k, yes, no);
    case "NE":
      return program.jump(JUMP.equal, k, no, yes);
    case "GT":
      return program.jump(JUMP.greater, k, yes, no);
    case "LE":
      return program.jump(JUMP.greater, k, no, yes);
    case "GE":
      return program.jump(JUMP.notLess, k, yes, no);
    case "LT":
      return program.jump(JUMP.notLess, k, no, yes);
  }
}

/** Compares an argument of 64 bits: the upper word decides unless it is equal. */
function emitWhole(
  program: Assembler,
  condition: Condition,
  low: number,
  yes: Place,
  no: Place,
): Place {
  const { operator, value, mask } = condition;
  const high = {
    ...condition,
    value: value >> 32n,
    ...(mask !== undefined && { mask: mask >> 32n }),
  };
  const lower = {
    ...condition,
    value: value & 0xffff_ffffn,
    ...(mask !== undefined && { mask: mask & 0xffff_ffffn }),
  };
  const rest = emitWord(program, lower, low, ALL, yes, no);
  switch (operator) {
    case "EQ":
    case "MASKED_EQ":
      return emitWord(program, high, low + 4, ALL, rest, no);
    case "NE":
      return emitWord(program, high, low + 4, ALL, yes, rest);
    default: {
      const [above, below] = operator === "GT" || operator === "GE" ? [yes, no] : [no, yes];
      const k = Number(high.value);
      const unequal = program.jump(JUMP.equal, k, rest, below);
      return program.load(low + 4, program.jump(JUMP.greater, k, above, unequal));
    }
  }
}
