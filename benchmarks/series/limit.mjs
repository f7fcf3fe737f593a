import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { atMost } from "../budget.mjs";
import { unlessUnavailable } from "../contenders/library.mjs";
import { measured, native, planOf } from "../native.mjs";

const AT_A_TIME = [1, 2, 4, 8, 16, 32, 64];
const PARTS = {
  "fork and exec": "exec",
  "with namespaces": "namespaces",
  "with namespaces but the network's, and mounts": "mounts",
  "the kernel's part: all of it": "all",
};
const LIMIT = "the kernel's part: all of it";
const OURS = "sandboxlib, fork server";

/** What the kernel charges for a launch, by a C program with our launcher's system calls, and what the launcher takes. */
export async function limitSeries(rounds) {
  const title = "The kernel's part of a launch of /bin/true, so many at a time, each; without Node";
  const plan = await unlessUnavailable(() => planOf());
  const built = plan.skipped === undefined ? native(["limit", "serve"]) : plan;
  if (built.skipped !== undefined) return { title, points: [], skipped: { [OURS]: built.skipped } };
  const { programs, directory, close } = built;
  const file = join(directory, "plan");
  writeFileSync(file, plan.bytes, { mode: 0o600 });
  const runsOf = (count) => ({
    ...Object.fromEntries(
      Object.entries(PARTS).map(([name, part]) => [
        name,
        () => measured([programs.limit, part, launches(count), String(count)]),
      ]),
    ),
    [OURS]: () => measured([programs.serve, plan.launcher, file, launches(count), String(count)]),
  });
  return {
    name: "limit",
    title,
    unit: "ms",
    points: AT_A_TIME.map((count) => ({
      label: `${count} at a time`,
      rounds: Math.ceil(rounds / 10),
      runs: runsOf(count),
    })),
    skipped: {},
    budgets: (...figures) =>
      figures.map((each, at) => labelled(atMost(each, OURS, LIMIT, 1.15), AT_A_TIME[at])),
    close,
  };
}

/** So many that starting and ending the first and the last of them do not count. */
function launches(count) {
  return String(Math.max(16, 4 * count));
}

function labelled({ text, ...verdict }, count) {
  return { ...verdict, text: `${count} at a time, ${text}` };
}
