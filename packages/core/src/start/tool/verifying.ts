import { setTimeout } from "node:timers/promises";
import type { Report, ToolPlan } from "../../backend/plan.js";
import { now } from "../../host/lazily.js";
import { mountinfoOf } from "../../host/mountinfo.js";
import { type Init, isAsleep, startTimeOf } from "../../host/processes.js";
import type { Checker } from "../../verify/checker.js";
import type { Prepared } from "../prepared.js";
import type { Launched } from "./around.js";
import { GO_AHEAD } from "./fork.js";
import type { Watched, Watcher } from "./watch.js";

/**
 * Verifies the sandbox of a tool: while the program is held, where the plan has a `hold` and it is to be, else when the
 * program has begun. One that is not as it should be is ended.
 */
export function verifying(
  { verification }: Prepared<ToolPlan>,
  { hold }: Launched,
  checker: Checker,
  watched: () => Watched,
): Watcher {
  let isHolding = hold !== undefined;
  const check = ({ pid, started }: Init): boolean => {
    if (verification.when === "never") return true;
    const isRight = checker.checkSetUp(pid, () => startTimeOf(pid) === started);
    if (isRight) verification.hasPassed = true;
    else watched().kill();
    return isRight;
  };
  const releaseProgram = async (init: Init): Promise<void> => {
    if (!(await untilSetUp(init.pid, checker, () => watched().isStarting()))) return;
    if (check(init)) hold?.end(GO_AHEAD);
  };
  return {
    onReport(report: Report, init: Init | undefined) {
      if (verification.when !== "never" && !checker.checkNamespaces(report)) watched().kill();
      if (!isHolding || init === undefined) return;
      isHolding = false;
      void releaseProgram(init);
    },
    onSetUp: check,
  };
}

/**
 * Waits until a sandbox is as it should be, or until its pid 1 has slept for so long that it will not come to be so: a tool
 * tells of pid 1 before that has mounted anything. False where the tool has ended.
 */
async function untilSetUp(
  pid: number,
  checker: Checker,
  isStarting: () => boolean,
): Promise<boolean> {
  const since = now();
  let lastChange = since;
  let before: string | undefined;
  while (isStarting()) {
    const began = now();
    if (checker.isSetUp(pid, began - since < LONGEST_POWER)) return true;
    const mounts = mountinfoOf(pid);
    if (mounts !== before || !isAsleep(pid)) lastChange = began;
    if (began - lastChange > LONGEST_SLEEP) return true;
    before = mounts;
    // To look takes long where there are many mounts, and the tool may have to share the processor.
    await setTimeout(1 + 4 * (now() - began));
  }
  return false;
}

/** Milliseconds. */
const LONGEST_SLEEP = 1_000;
/** Milliseconds, for a tool that may keep privileges in a user namespace of its own. */
const LONGEST_POWER = 250;
