import type { ErrorCode } from "@sandboxlib/core";
import type { Observation, Report, Verdict } from "@sandboxlib/core/backend";

/** Reads the pid of the supervisor. */
export function readReport(report: string): Report {
  const [, pid] = /^up (\d+)$/m.exec(report) ?? [];
  return pid === undefined ? {} : { supervisor: Number(pid) };
}

/** Reads how the program ended from the report of the supervisor. The exit status of the tool is 1 for every failure. */
export function interpret({ exitCode, signal, report, stderr }: Observation): Verdict {
  const [, status] = /^exit (\d+)$/m.exec(report) ?? [];
  if (status !== undefined) return { kind: "exited", exitCode: Number(status) };
  const [, code, reason] = /^failed (\w+) (.*)$/m.exec(report) ?? [];
  if (code !== undefined && reason !== undefined)
    return { kind: "failed", code: code as ErrorCode, message: reason };
  const failed = { kind: "failed", code: "LAUNCH_FAILED" } as const;
  if (report !== "")
    return {
      ...failed,
      message: "the supervisor in the sandbox was killed, and the program with it",
    };
  if (signal !== null)
    return {
      ...failed,
      message: `linux-user-chroot was killed by ${signal}, and the program with it`,
    };
  const reasonGiven = stderr.trim().split("\n").at(-1) || "its reason went to standard error";
  const message = `linux-user-chroot ended with status ${exitCode} before the program started: ${reasonGiven}`;
  return { ...failed, message, hint: hintFor(reasonGiven) };
}

function hintFor(reason: string): string {
  if (reason.startsWith("execv:"))
    return "The root has no /bin/sh that works, and the program is supervised by it.";
  if (reason.startsWith("Couldn't open"))
    return "A source of a bind, or the root, cannot be opened by this user.";
  return "The root must have /bin/sh and env; the tool opens each source of a bind as the calling user.";
}
