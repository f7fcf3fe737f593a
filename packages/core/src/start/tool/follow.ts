import type { Readable } from "node:stream";
import type { Report, ToolPlan } from "../../backend/plan.js";
import { type Init, initOf, insideOf } from "../../host/processes.js";

/** What a tool has reported so far. */
export interface Reported {
  text: string;
  read: Report;
  /** Pid 1 of its sandbox, once it is known. */
  init: Init | undefined;
  /** What the backend's `readReport` threw. Nothing more is read after that. */
  unreadable: Error | undefined;
}

const REPORT_LIMIT = 65_536;

/** Reads the report of a tool as it comes, and keeps the object that it returns up to date. */
export function follow(
  report: Readable | undefined,
  tool: number | undefined,
  plan: ToolPlan,
  { onReport, onUnreadable }: { onReport: () => void; onUnreadable: () => void },
): Reported {
  const seen: Reported = { text: "", read: {}, init: undefined, unreadable: undefined };
  report?.setEncoding("utf8").on("data", (more: string) => {
    seen.text = (seen.text + more).slice(0, REPORT_LIMIT);
    if (seen.unreadable !== undefined) return;
    try {
      seen.read = located(reportIn(plan, seen.text), tool, seen.read);
    } catch (cause) {
      seen.unreadable = cause instanceof Error ? cause : new Error(String(cause));
      onUnreadable();
      return;
    }
    const { initPid } = seen.read;
    if (initPid !== undefined) seen.init ??= initOf(initPid);
    onReport();
  });
  return seen;
}

function reportIn(plan: ToolPlan, text: string): Report {
  if (plan.readReport === undefined) return {};
  const report: unknown = plan.readReport(text);
  if (typeof report !== "object" || report === null)
    throw new TypeError(`it answered ${String(report)}, which is no object`);
  const { initPid = 2, supervisor = 1 }: Partial<Record<keyof Report, unknown>> = report;
  // Pid 1 of the sandbox is killed at the end: the host's own has that number, and 0 and -1 stand for many processes.
  for (const [pid, least] of [
    [initPid, 2],
    [supervisor, 1],
  ] as const)
    if (!Number.isInteger(pid) || (pid as number) < least)
      throw new TypeError(`it answered with the pid ${String(pid)}`);
  return report;
}

/** Finds out what the host calls a supervisor and its pid 1, once; the tool must have told of it by then. */
function located(report: Report, tool: number | undefined, before: Report): Report {
  if (report.supervisor === undefined || tool === undefined) return report;
  if (before.initPid !== undefined)
    return {
      ...report,
      initPid: before.initPid,
      supervisor: before.supervisor ?? report.supervisor,
    };
  const inside = insideOf(tool);
  const pidOf = (pid: number): number | undefined =>
    inside.find((each) => each.inside === pid)?.pid;
  const [initPid, supervisor] = [pidOf(1), pidOf(report.supervisor)];
  return {
    ...report,
    ...(initPid !== undefined && supervisor !== undefined && { initPid, supervisor }),
  };
}
