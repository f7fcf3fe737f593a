import { dirname, join } from "node:path";
import { declares, inside, nothing, outside, plans, plansFor } from "../lies.js";
import type { Liar } from "./liar.js";

/** Liars about what every backend has to do, and those without a root of their own. */
export const SMALL: readonly Liar[] = [
  {
    does: "runs no program",
    lie: () => inside("exit 7"),
    caughtBy: ["ground"],
  },
  {
    does: "leaves a process of its own on the host",
    lie: () => outside('(setsid sleep 60 <&- >&- 2>&- &); exec "$@"'),
    caughtBy: ["what a run leaves on the host: no process"],
  },
  {
    does: "leaves a mount on the host",
    onlyRoot: true,
    lie: () => plans((plan, { root }) => ({ ...plan, argv: mounting(root, plan.argv) })),
    caughtBy: ["what a run leaves on the host: no mount"],
  },
  {
    does: "begins in a directory of the host",
    lie: () => plansFor(() => ({ cwd: "/bin" })),
    caughtBy: ["what a run leaves on the host: no file"],
  },
  {
    does: "has no root, and does nothing of what it declares beside it",
    lie: () => declares((own) => [...own.filter((word) => word !== "root"), ...MORE], nothing()),
    caughtBy: [
      "at the host's own root",
      "attacks: on a sandbox at",
      "system calls: the profile `default` holds at",
    ],
  },
];

const MORE = ["mount.tmpfs.inodes", "user.range"] as const;

/** Mounts something beside the root of the case, which the kit clears away. */
function mounting(root: string, tool: readonly string[]): [string, ...string[]] {
  const script = 'mkdir -p "$0" && mount -t tmpfs none "$0"; exec "$@"';
  return ["/bin/sh", "-c", script, join(dirname(root), "left"), ...tool];
}
