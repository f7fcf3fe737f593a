import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core/backend";
import { atMost } from "../budget.mjs";
import { unlessUnavailable } from "../contenders/library.mjs";
import { words } from "../contenders/tool.mjs";
import { measured, native, planOf } from "../native.mjs";

const OURS = "sandboxlib-launcher run";
const BWRAP = "bwrap";
/** As many in a row as make the start of the program that starts them nothing. */
const IN_A_ROW = "10";

/** A planned command, run by the launcher alone, as make or a judge would start it: from a small C program. */
export async function planSeries(rounds) {
  const title = "Launch of /bin/true without Node, everything isolated, from a C program";
  const plan = await unlessUnavailable(() => planOf());
  const built = plan.skipped === undefined ? native(["spawn"]) : plan;
  if (built.skipped !== undefined) return { title, points: [], skipped: { [OURS]: built.skipped } };
  const { programs, directory, close } = built;
  const file = join(directory, "plan");
  writeFileSync(file, plan.bytes, { mode: 0o600 });
  const spawned = (argv) => () => measured([programs.spawn, IN_A_ROW, ...argv]);
  const bwrap = realHost().which("bwrap");
  const isolation = "--unshare-all --die-with-parent --ro-bind / / --proc /proc --dev /dev";
  const options = words(`${isolation} --tmpfs /tmp -- /bin/true`);
  return {
    name: "plan",
    title,
    unit: "ms",
    points: [
      {
        rounds: Math.ceil(rounds / 2),
        runs: {
          "posix_spawn alone": spawned(["/bin/true"]),
          ...(bwrap !== undefined && { [BWRAP]: spawned([bwrap, ...options]) }),
          [OURS]: spawned([plan.launcher, "run", file]),
        },
      },
    ],
    skipped: bwrap === undefined ? { [BWRAP]: "bwrap is not installed" } : {},
    budgets: (figures) => [atMost(figures, OURS, BWRAP, 0.65)],
    close,
  };
}
