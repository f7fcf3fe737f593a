import { count, fields, list, type Reader, SeccompError, string, wide, word } from "./check.js";
import type { SeccompAction } from "./oci.js";
import {
  ALLOW,
  type Condition,
  EPERM,
  errno,
  KILL_PROCESS,
  KILL_THREAD,
  LOG,
  type Operator,
  type Rule,
  TRAP,
  trace,
  type Verdict,
} from "./policy.js";

/** For which machine a profile is read. */
export interface Target {
  /** As `process.arch` has it. */
  readonly arch: string;
  /** Capabilities of the bounding set. */
  readonly capabilities: readonly string[];
  /** The release of the kernel, such as `6.1.0-50-amd64`. */
  readonly kernel: string;
}

const RULE_FIELDS = [
  "names",
  "name",
  "action",
  "errnoRet",
  "args",
  "includes",
  "excludes",
  "comment",
] as const;

/** A rule and the calls that it is about; without the rule where it does not apply to that machine. */
export function parseRule(
  reader: Reader,
  target: Target,
): { names: string[]; rule: Rule | undefined } {
  const field = fields(reader, RULE_FIELDS);
  const [one, many] = [field("name"), field("names")];
  if (one.value !== undefined && one.value !== "" && list(many).length > 0)
    throw new SeccompError(one.path, "is there beside `names`", "Say one of them.");
  const names =
    one.value === undefined || one.value === "" ? list(many).map(string) : [string(one)];
  const verdict = verdictOf(field("action"), field("errnoRet"));
  const conditions = list(field("args")).map(parseArgument);
  const twice = conditions.find(({ argument }, index) =>
    conditions.slice(0, index).some((other) => other.argument === argument),
  );
  if (twice !== undefined) {
    const hint =
      "Some runtimes take it as either, others as both. Write two rules, or one condition.";
    throw new SeccompError(
      field("args").path,
      `argument ${twice.argument} has two conditions`,
      hint,
    );
  }
  const includes = parseFilter(field("includes"), target);
  const excludes = parseFilter(field("excludes"), target);
  const applies =
    Object.values(includes).every((each) => each.all) &&
    !Object.values(excludes).some((each) => each.any);
  return { names, rule: applies ? { conditions, verdict } : undefined };
}

/** Of each part of a filter, whether all of it holds, and whether any. */
function parseFilter(reader: Reader, target: Target): { all: boolean; any: boolean }[] {
  if (reader.value === undefined || reader.value === null) return [];
  const field = fields(reader, ["caps", "arches", "minKernel"]);
  const caps = list(field("caps")).map((cap) => target.capabilities.includes(string(cap)));
  const arches = list(field("arches")).map(
    (arch) => string(arch) === GO_ARCHITECTURES[target.arch],
  );
  const oldest = field("minKernel");
  const isNew =
    oldest.value === undefined || oldest.value === "" ? [] : [isAtLeast(target.kernel, oldest)];
  const parts = [];
  if (caps.length > 0) parts.push({ all: caps.every(Boolean), any: caps.some(Boolean) });
  // A machine has one native architecture, so to want several means any of them.
  if (arches.length > 0) parts.push({ all: arches.some(Boolean), any: arches.some(Boolean) });
  for (const holds of isNew) parts.push({ all: holds, any: holds });
  return parts;
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  riscv64: "riscv64",
};

function isAtLeast(kernel: string, reader: Reader): boolean {
  const oldest = /^(\d+)\.(\d+)$/.exec(string(reader));
  if (oldest === null) throw new SeccompError(reader.path, "must be major.minor, such as 4.8");
  const running = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  const [major, minor] = [Number(running[1] ?? 0), Number(running[2] ?? 0)];
  return major > Number(oldest[1]) || (major === Number(oldest[1]) && minor >= Number(oldest[2]));
}

function parseArgument(reader: Reader): Condition {
  const field = fields(reader, ["index", "value", "valueTwo", "op"]);
  const operator = word(field("op"), OPERATORS).replace("SCMP_CMP_", "") as Operator;
  const [value, second] = [wide(field("value")), wide(field("valueTwo"), 0n)];
  const argument = count(field("index"), 5);
  return operator === "MASKED_EQ"
    ? { argument, operator, value: second, mask: value }
    : { argument, operator, value };
}

const OPERATORS = [
  "SCMP_CMP_EQ",
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_GT",
  "SCMP_CMP_GE",
  "SCMP_CMP_MASKED_EQ",
] as const;

const VERDICTS: Readonly<Record<SeccompAction, Verdict | ((number: number) => Verdict)>> = {
  SCMP_ACT_ALLOW: ALLOW,
  SCMP_ACT_ERRNO: errno,
  SCMP_ACT_KILL: KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: KILL_THREAD,
  SCMP_ACT_LOG: LOG,
  SCMP_ACT_TRACE: trace,
  SCMP_ACT_TRAP: TRAP,
};

/** What an action means, with the number that may stand beside it. */
export function verdictOf(action: Reader, number: Reader): Verdict {
  const verdict = VERDICTS[word(action, Object.keys(VERDICTS) as SeccompAction[])];
  // The kernel takes no greater errno.
  return typeof verdict === "number" ? verdict : verdict(count(number, 4095, EPERM));
}
