import { ABIS, ABIS_OF, type AbiName, callNames } from "./abi.js";
import { fields, list, type Reader, SeccompError, string, word } from "./check.js";
import { ALLOW, ENOSYS, errno, KILL_PROCESS, LOG, type Policy, type Rule } from "./policy.js";
import { parseRule, type Target, verdictOf } from "./rule.js";

/**
 * Reads an OCI profile for a machine.
 *
 * @returns The policy, and the calls that it names and no table knows.
 * @throws SeccompError, with the field at fault.
 */
export function parseProfile(
  profile: unknown,
  target: Target,
): { policy: Policy; unknown: string[] } {
  const field = fields({ value: profile, path: "" }, PROFILE_FIELDS);
  for (const flag of list(field("flags"))) word(flag, ["SECCOMP_FILTER_FLAG_TSYNC"]);
  const otherwise = verdictOf(field("defaultAction"), field("defaultErrnoRet"));
  const rules = new Map<string, Rule[]>();
  const unknown = new Set<string>();
  const known = new Set(callNames());
  let conditional = 0;
  const isOpen = otherwise === ALLOW || otherwise === LOG;
  for (const reader of list(field("syscalls"))) {
    const { names, rule } = parseRule(reader, target);
    if (rule === undefined || rule.verdict === otherwise) continue;
    if (rule.conditions.length > 0) conditional += names.length;
    if (conditional > MOST_CONDITIONAL)
      throw new SeccompError(
        reader.path,
        `is one rule with conditions more than ${MOST_CONDITIONAL}`,
        TOO_MANY,
      );
    for (const name of names) {
      if (!known.has(name)) unknown.add(name);
      if (!known.has(name) && isOpen) throw cannotDeny(name, reader.path);
      rules.set(name, withRule(rules.get(name) ?? [], rule, name, reader.path));
    }
  }
  const policy: Policy = {
    abis: abisOf(field("architectures"), field("archMap"), target.arch),
    rules,
    otherwise,
    unknown: isOpen ? otherwise : errno(ENOSYS),
    foreign: KILL_PROCESS,
  };
  return { policy, unknown: [...unknown] };
}

/** Each takes an instruction at least, and the kernel takes so many. */
const MOST_CONDITIONAL = 4096;
const TOO_MANY = "A filter has at most 4096 instructions. Say more in fewer rules.";

const PROFILE_FIELDS = [
  "defaultAction",
  "defaultErrnoRet",
  "architectures",
  "archMap",
  "flags",
  "syscalls",
] as const;
/** A rule that never applies, in a profile that allows what no rule names, is a mistake that nobody would see. */
function cannotDeny(name: string, path: string): SeccompError {
  const hint =
    "Correct its name, or leave it out: the kernel may know it, and the filter would not.";
  return new SeccompError(
    path,
    `no table knows the call ${name}, and what is not named is allowed`,
    hint,
  );
}

/** Adds a rule to those of a call. Rules that contradict one another are refused, since runtimes disagree about them. */
function withRule(rules: readonly Rule[], rule: Rule, name: string, path: string): Rule[] {
  const isAlways = (each: Rule): boolean => each.conditions.length === 0;
  const other = rules.find(
    (each) => each.verdict !== rule.verdict && (isAlways(each) || isAlways(rule)),
  );
  if (other !== undefined)
    throw new SeccompError(
      path,
      `${name} has another action already`,
      "Leave one of the two rules out.",
    );
  if (rules.some(isAlways)) return [...rules];
  return isAlways(rule) ? [rule] : [...rules, rule];
}

function abisOf(architectures: Reader, archMap: Reader, arch: string): AbiName[] {
  const possible = ABIS_OF[arch];
  if (possible === undefined)
    throw new SeccompError("arch", `there is no table of system calls for ${arch}`);
  const [native] = possible;
  const listed = list(architectures).map(string);
  const mapped = list(archMap).flatMap((entry) => {
    const field = fields(entry, ["architecture", "subArchitectures"]);
    const subs = list(field("subArchitectures")).map(string);
    return string(field("architecture")) === ABIS[native].oci ? subs : [];
  });
  if (listed.length > 0 && list(archMap).length > 0)
    throw new SeccompError(archMap.path, "is there beside `architectures`", "Say one of them.");
  const wanted = [...listed, ...mapped];
  return possible.filter((abi) => abi === native || wanted.includes(ABIS[abi].oci));
}
