import { readFileSync } from "node:fs";
import { RLIMITS, type RlimitName, rlimitsOf } from "../config/limits.js";
import type { Limits } from "../config/types.js";
import { SandboxError } from "../result/error.js";

/**
 * Refuses a limit above the hard limit of this process, which only privileged processes can raise: the lower one would
 * hold instead.
 *
 * @throws SandboxError `LAUNCH_FAILED` for the first limit above this process's own hard one.
 */
export function assertBelowHard(limits: Limits): void {
  for (const { name, hard } of rlimitsOf(limits)) {
    const own = ownHard(name);
    if (own !== undefined && hard > own) throw limitFailure(name, limits, "it is above that");
  }
}

/** What to say of a limit that could not be set. */
export function limitFailure(name: RlimitName, limits: Limits, why: string): SandboxError {
  const own = ownHard(name);
  const most = own === undefined ? "" : `; the hard limit of this process is ${mostOf(own)}`;
  return new SandboxError(
    "LAUNCH_FAILED",
    `limits.${name}: ${limits[name]} cannot be set (${why}${most})`,
    {
      path: `limits.${name}`,
      hint: "Ask for less, or raise the hard limit where this process is started (ulimit -H).",
    },
  );
}

function mostOf(limit: number): string {
  return Number.isFinite(limit) ? String(limit) : "unlimited";
}

/** The hard limit of this process, as the kernel tells it; undefined where it does not tell. */
function ownHard(name: RlimitName): number | undefined {
  const line = read()
    .split("\n")
    .find((each) => each.startsWith(`${RLIMITS[name].called} `));
  const [, , hard] =
    /^(\S+)\s+(\S+)/.exec(line?.slice(RLIMITS[name].called.length).trim() ?? "") ?? [];
  if (hard === undefined) return undefined;
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

function read(): string {
  try {
    return readFileSync("/proc/self/limits", "latin1");
  } catch {
    return "";
  }
}
