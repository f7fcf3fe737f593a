import type { Backend, Host } from "../backend/backend.js";
import { answerOf, broken } from "../backend/broken.js";
import type { Plan } from "../backend/plan.js";
import type { ResolvedConfig } from "../backend/resolved-config.js";
import { isCapability, type Need } from "../capability/capability.js";
import type { Probed } from "../resolve/choose.js";
import { markPart, SandboxError } from "../result/error.js";
import { faultOfPlan } from "./plan-faults.js";

/**
 * Asks a backend for its plan.
 *
 * @throws SandboxError `CAPABILITY_UNSUPPORTED` for a refusal, `BACKEND_INVALID` for what core cannot start.
 */
export function checkedPlan({ backend, probe }: Probed, config: ResolvedConfig, host: Host): Plan {
  const { name } = backend;
  const plan: unknown = answerOf(name, "its plan", () => backend.plan(config, host, probe));
  if (typeof plan !== "object" || plan === null)
    throw broken(name, `its plan is ${String(plan)}, which is no object`);
  if ("refusal" in plan) throw refused(backend, plan.refusal);
  const kind: unknown = "kind" in plan ? plan.kind : undefined;
  const isEngine = backend.isEngine === true;
  if (!(isEngine ? kind === "engine" : kind === "tool" || kind === "launcher"))
    throw broken(name, `its plan is of the kind ${String(kind)}, and its isEngine is ${isEngine}`);
  const fault = faultOfPlan(plan as Plan);
  if (fault !== undefined) throw broken(name, `in its plan, ${fault}`);
  return plan as Plan;
}

/**
 * Asserts that a plan tells what enforces each need that is met, which the receipt says.
 *
 * @throws SandboxError `BACKEND_INVALID`
 */
export function assertMechanisms(
  backend: string,
  { mechanisms }: Plan,
  met: readonly Need[],
): void {
  for (const { capability } of met) {
    const mechanism: unknown = mechanisms[capability];
    if (typeof mechanism !== "string" || mechanism === "")
      throw broken(backend, `it declares ${capability}, and its plan names no mechanism for it`);
  }
}

function refused({ name, partly = {} }: Backend, refusal: unknown): SandboxError {
  const parts = typeof refusal === "object" && refusal !== null ? refusal : {};
  const { path, reason, hint, capability } = parts as Partial<Record<string, unknown>>;
  if (typeof path !== "string" || typeof reason !== "string" || typeof hint !== "string")
    return broken(name, "it refuses without a path, a reason and a hint");
  const details = { path, backend: name, hint };
  const error = new SandboxError("CAPABILITY_UNSUPPORTED", `${path}: ${reason}`, details);
  if (capability === undefined) return error;
  const word = typeof capability === "string" ? capability : typeof capability;
  if (!isCapability(word) || partly[word] === undefined)
    return broken(name, `it refuses a part of ${word} that \`partly\` does not tell of`);
  markPart(error, word);
  return error;
}
