import { OWN_DIRECTORY, OWN_NAME, type Plan } from "../backend/plan.js";
import { WIDE_PROFILES } from "../backend/resolved-config.js";
import { isUndo } from "./tool/undo.js";

/** What is wrong with a part of a plan; undefined where nothing is. What a part holds may be a secret, and is not said. */
type Rule = (value: unknown) => string | undefined;

const word: Rule = (value) => {
  if (typeof value !== "string") return "is no text";
  const rest = value.replaceAll(OWN_DIRECTORY, "").replaceAll(OWN_NAME, "");
  return rest.includes("\0") ? "contains a NUL byte" : undefined;
};

const argv: Rule = (value) => {
  const fault = listOf(word, "is no list of words")(value);
  if (fault !== undefined) return fault;
  const [tool] = value as string[];
  if (tool === undefined) return "is empty";
  return isAbsolute(tool) ? undefined : "begins with what is no absolute path";
};

const absolute: Rule = (value) =>
  word(value) ?? (isAbsolute(value as string) ? undefined : "is no absolute path");

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || path.startsWith(OWN_DIRECTORY);
}

const env: Rule = (value) => {
  if (!isObject(value)) return "is no object of variables";
  return firstFault(Object.entries(value).map(([name, text]) => [name, word(name) ?? word(text)]));
};

const callback: Rule = (value) => (typeof value === "function" ? undefined : "is no function");
const onlyTrue: Rule = (value) => (value === true ? undefined : "is neither true nor absent");
const object: Rule = (value) => (isObject(value) ? undefined : "is no object");

const clone: Rule = (value) =>
  isObject(value) && word(value["program"]) === undefined && word(value["by"]) === undefined
    ? undefined
    : "is no { program, by }";

const fds: Rule = (value) => {
  if (!isObject(value)) return "is no object by the numbers of fds";
  if (!Object.keys(value).every((number) => /^([3-9]|[1-9]\d+)$/.test(number)))
    return "has a key that is no number from 3 on";
  return firstFault(Object.entries(value).map(([number, content]) => [number, fdFault(content)]));
};

const ownDirectory = listOf((value) => {
  const isEntry =
    isObject(value) &&
    word(value["path"]) === undefined &&
    typeof value["mode"] === "number" &&
    (value["type"] === "directory" || (value["type"] === "file" && isData(value["data"])));
  return isEntry ? undefined : "is no file or directory with a path and a mode";
}, "is no list of files and directories");

const undo = optional((value) =>
  isUndo(value) ? undefined : "is no { kind, path } of something to unmount or to remove",
);

const before = listOf(
  (value) =>
    isObject(value)
      ? firstFault([
          ["run", argv(value["run"])],
          ["undo", undo(value["undo"])],
        ])
      : "is no step with a run",
  "is no list of steps",
);

const SIGNALS = ["tool", "child of tool", "child of init", "child of supervisor"];
const signals: Rule = (value) =>
  SIGNALS.some((each) => each === value) ? undefined : `is none of ${SIGNALS.join(", ")}`;

type Rules = Readonly<Record<string, Rule>>;

const TOOL: Rules = {
  argv,
  env,
  clone: optional(clone),
  startedBy: optional(word),
  fds: optional(fds),
  before: optional(before),
  ownDirectory: optional(ownDirectory),
  end: optional(argv),
  endWhile: optional(absolute),
  setsLimits: optional(onlyTrue),
  closesFds: optional(onlyTrue),
  mechanisms: object,
  signals: optional(signals),
  readReport: optional(callback),
  interpret: callback,
};

const PLANS: Readonly<Record<Plan["kind"], Rules>> = {
  tool: TOOL,
  launcher: { argv, env, mechanisms: object, setup: object },
  engine: { mechanisms: object, start: callback },
};

/** What is wrong with the parts of a plan of a known kind, with the path of the part; undefined where nothing is. */
export function faultOfPlan(plan: Plan): string | undefined {
  const given = plan as unknown as Readonly<Record<string, unknown>>;
  const rules = Object.entries(PLANS[plan.kind]);
  const fault = firstFault(rules.map(([name, rule]) => [name, rule(given[name])]));
  if (fault !== undefined || plan.kind !== "tool") return fault;
  if (plan.readReport !== undefined && plan.signals === undefined)
    return "readReport is there, and signals does not say which process the program is";
  if (plan.readReport === undefined && Object.values(plan.fds ?? {}).includes("hold"))
    return "fds has a hold, and there is no readReport to tell which sandbox to verify";
  return plan.clone === undefined || plan.argv.includes(plan.clone.program)
    ? undefined
    : "clone names a program that is no word of argv";
}

function fdFault(content: unknown): string | undefined {
  const isWord = ["report", "lifeline", "hold", "filter", "command"].some(
    (each) => each === content,
  );
  const isOther =
    isObject(content) &&
    (isData(content["data"]) ||
      !clone(content["clone"]) ||
      WIDE_PROFILES.some((name) => name === content["filter"]));
  return isWord || isOther ? undefined : "is nothing that a tool can find on an fd";
}

function listOf(rule: Rule, otherwise: string): Rule {
  return (value) =>
    Array.isArray(value)
      ? firstFault(value.map((each: unknown, index) => [String(index), rule(each)]))
      : otherwise;
}

function optional(rule: Rule): Rule {
  return (value) => (value === undefined ? undefined : rule(value));
}

/** The first fault, behind the path of its part. */
function firstFault(parts: readonly (readonly [string, string | undefined])[]): string | undefined {
  const [found] = parts.filter(([, fault]) => fault !== undefined);
  if (found === undefined) return undefined;
  const [name, fault = ""] = found;
  // What is deeper begins with a path of its own.
  return /^(?:is|has|begins|contains|names) /.test(fault) ? `${name} ${fault}` : `${name}.${fault}`;
}

function isData(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
