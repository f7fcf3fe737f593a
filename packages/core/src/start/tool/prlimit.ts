import type { Host, Missing } from "../../backend/backend.js";
import type { ToolPlan } from "../../backend/plan.js";
import type { Limits } from "../../config/types.js";
import { limitFailure, RLIMITS, type Rlimit, rlimitNames, rlimitsOf } from "../../host/rlimit.js";
import { SandboxError } from "../../result/error.js";

type Argv = readonly [string, ...string[]];

/**
 * What core does for every plan for a tool: it has prlimit(1) set the limits of setrlimit(2) before it starts the tool,
 * and everything below inherits them. A backend whose tool bears that adds `mechanisms` to its own, which declares the
 * capabilities, and `missing` to what its probe found.
 */
export const toolLimits: {
  readonly mechanisms: ToolPlan["mechanisms"];
  missing(host: Host): Missing[];
} = {
  mechanisms: Object.fromEntries(
    rlimitNames().map((name) => [`limit.${name}`, `prlimit --${RLIMITS[name].option}, inherited`]),
  ),
  missing(host) {
    if (host.which("prlimit") !== undefined) return [];
    const reason = "prlimit is not installed in a directory of the system";
    const remedy = "Install util-linux.";
    return rlimitNames().map((name) => ({ capability: `limit.${name}`, reason, remedy }));
  },
};

/** The command of a plan with limits set for it. The process stays the same: prlimit(1) becomes the command. */
export function withLimits(
  argv: Argv,
  { setsLimits }: Pick<ToolPlan, "setsLimits">,
  rlimits: readonly Rlimit[],
  host: Host,
): Argv {
  return setsLimits === true || rlimits.length === 0 ? argv : limited(argv, rlimits, host);
}

function limited(argv: Argv, rlimits: readonly Rlimit[], host: Host): Argv {
  const prlimit = host.which("prlimit");
  if (prlimit !== undefined) return [prlimit, ...rlimits.map(option), "--", ...argv];
  // Nobody has asked for a soft limit of open files below the hard one.
  const asked = rlimits.find(({ name, soft, hard }) => name !== "openFiles" || soft === hard);
  if (asked === undefined) return argv;
  throw new SandboxError("LAUNCH_FAILED", "there is no prlimit on this host to set the limits", {
    path: `limits.${asked.name}`,
    hint: "Install util-linux.",
  });
}

/**
 * Tries whether prlimit(1) can set the limits: later, its failure could not be told from one of the tool.
 *
 * @throws SandboxError `LAUNCH_FAILED` for the first that cannot be set, or with which no program can be started.
 */
export async function tryLimits(limits: Limits, host: Host): Promise<void> {
  assertEnoughFiles(limits);
  if ((await attempt(limits, host)) === undefined) return;
  for (const { name } of rlimitsOf(limits)) {
    const failure = await attempt({ [name]: limits[name] }, host);
    if (failure !== undefined) throw limitFailure(name, limits, failure);
  }
}

/** A limit of open files holds for the tool as well, which would fail at one call or another of its set-up. */
function assertEnoughFiles({ openFiles = FEWEST_FILES }: Limits): void {
  if (openFiles >= FEWEST_FILES) return;
  const path = "limits.openFiles";
  const message = `${path}: ${openFiles} is too few for the tool that sets the sandbox up, which needs ${FEWEST_FILES}`;
  throw new SandboxError("LAUNCH_FAILED", message, {
    path,
    hint: "Ask for more, or use the backend namespaces, which sets the limit for the program alone.",
  });
}

const FEWEST_FILES = 16;

async function attempt(limits: Limits, host: Host): Promise<string | undefined> {
  const rlimits = rlimitsOf(limits);
  if (rlimits.length === 0) return undefined;
  const [prlimit, ...rest] = limited(["true"], rlimits, host);
  const { exitCode, stderr } = await host.run([
    prlimit,
    ...rest.slice(0, -1),
    prlimit,
    "--version",
  ]);
  return exitCode === 0 ? undefined : reasonOf(stderr);
}

function reasonOf(stderr: string): string {
  const [line] = stderr.trim().split("\n");
  return line || "no program can be started with it";
}

function option({ name, soft, hard }: Rlimit): string {
  return `--${RLIMITS[name].option}=${soft}:${hard}`;
}
