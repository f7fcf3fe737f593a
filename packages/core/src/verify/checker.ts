import type { Need } from "../needs/capability.js";
import type { Report, ToolPlan } from "../plan/plan.js";
import { SandboxError } from "../result/error.js";
import type { Enforced } from "../result/result.js";
import { verify } from "./verify.js";

/** Verifies a run once, as soon as its tool has reported, and remembers what came of it. */
export interface Checker {
  /** Whether the report shows that the run must be ended. */
  fails(report: Report): boolean;
  /**
   * What is enforced.
   *
   * @throws SandboxError `VERIFY_FAILED`
   */
  enforced(report: Report): readonly Enforced[];
}

/** A checker for one run. */
export function checker(
  needs: readonly Need[],
  mechanisms: ToolPlan["mechanisms"],
  backend: string,
): Checker {
  let enforced: readonly Enforced[] | undefined;
  let fault: SandboxError | undefined;
  const check = (report: Report): void => {
    if (enforced !== undefined || fault !== undefined) return;
    try {
      enforced = verify(needs, mechanisms, report, backend);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      fault = error;
    }
  };
  return {
    fails(report) {
      if (report.initPid !== undefined || report.namespaces !== undefined) check(report);
      return fault !== undefined;
    },
    enforced(report) {
      check(report);
      if (fault !== undefined) throw fault;
      return enforced ?? [];
    },
  };
}
