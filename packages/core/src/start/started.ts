import type { Ended, Running } from "../backend/running.js";
import type { Enforced } from "../result/result.js";

/** What each way to start a program answers with. */
export type Started = Running<CheckedEnd>;

/** How a program ended, and what was enforced. */
export interface CheckedEnd extends Ended {
  /** The most processor time that one of its processes was seen to have used, in seconds; where nobody tells the usage. */
  readonly cpuTimeSeen?: number;
  /**
   * What was enforced, and how that is known.
   *
   * @throws SandboxError `VERIFY_FAILED`
   */
  enforced(): readonly Enforced[];
}
