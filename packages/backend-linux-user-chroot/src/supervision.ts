import { guest, type ResolvedConfig, type ToolPlan } from "@sandboxlib/core/backend";
import { findLauncher } from "./launcher.js";
import { interpretGuest, interpretShell, readShellReport } from "./report.js";
import { highestFd, REPORT_FD, SUPERVISOR } from "./supervisor.js";

/** What supervises the program inside. */
export interface Supervision
  extends Required<Pick<ToolPlan, "fds" | "readReport" | "signals">>,
    Pick<ToolPlan, "interpret"> {
  /** What the tool is to execute. The program follows. */
  readonly words: readonly string[];
  readonly by: "guest" | "shell";
}

/** Fds that every shell can name, that no backend below the drop-in uses, and that the drop-in hands on. */
const FD = { filter: 6, launcher: 7, report: REPORT_FD, variables: 9 } as const;

/**
 * The launcher, as the init inside, where the sandbox has a procfs by which an fd can be executed. The tool makes no mount
 * points, and a root need not have one to spare: without a procfs, the root's own shell has to do.
 */
export function supervision({ mounts, env, limits }: ResolvedConfig, binds: number): Supervision {
  const proc = mounts.findLast(({ type, target }) => type === "proc" && isOpen(target, mounts));
  const found = findLauncher();
  if (proc === undefined || !("path" in found)) return byShell(env, binds);
  const { report, variables, filter } = FD;
  return {
    by: "guest",
    // The limits once more: Node, which the drop-in is, raises the soft one of open files.
    words: [
      `${proc.target}/self/fd/${FD.launcher}`,
      ...guest.words({ report, variables, filter, limits }),
    ],
    fds: {
      [FD.filter]: "filter",
      // A copy, as what is inside can get at the file of pid 1.
      [FD.launcher]: { clone: { program: found.path, by: found.path } },
      [FD.report]: "report",
      [FD.variables]: { data: guest.variables(env), isForProgram: true },
    },
    signals: "child of supervisor",
    readReport: guest.readReport,
    interpret: interpretGuest,
  };
}

/** Whether nothing lies over a procfs, or over the processes in it. */
function isOpen(target: string, mounts: ResolvedConfig["mounts"]): boolean {
  const last = mounts.findLast((mount) => `${target}/`.startsWith(`${mount.target}/`));
  const isBare = !mounts.some((mount) => mount.target.startsWith(`${target}/self`));
  return last?.type === "proc" && last.target === target && isBare;
}

function byShell(variables: ResolvedConfig["env"], binds: number): Supervision {
  const env = Object.entries(variables).map((entry) => entry.join("="));
  const numbers = [highestFd(binds), env.length].map(String);
  return {
    by: "shell",
    words: ["/bin/sh", "-c", SUPERVISOR, SUPERVISOR, ...numbers, ...env],
    fds: { [FD.report]: "report" },
    signals: "child of supervisor",
    readReport: readShellReport,
    interpret: interpretShell,
  };
}
