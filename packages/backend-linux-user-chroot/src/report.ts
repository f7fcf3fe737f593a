import { type ErrorCode, signalNumber } from "@sandboxlib/core";
import { guest, type Observation, type Report, type Verdict } from "@sandboxlib/core/backend";

/**
 * Reads how the program ended from what the guest reports. Death by signal n is the exit status 128+n, as a shell has it:
 * it is the same with either supervisor.
 */
export function interpretGuest(seen: Observation): Verdict {
  const verdict = guest.verdict(seen.report);
  if (verdict?.kind !== "signaled") return verdict ?? withoutEnd(seen, GUEST_HINTS);
  return { kind: "exited", exitCode: 128 + (signalNumber(verdict.signal) ?? 0) };
}

/** Reads the pid of the shell. */
export function readShellReport(report: string): Report {
  const [, pid] = /^up (\d+)$/m.exec(report) ?? [];
  return pid === undefined ? {} : { supervisor: Number(pid) };
}

/** Reads how the program ended from the report of the shell. */
export function interpretShell(seen: Observation): Verdict {
  const { report } = seen;
  const [, status] = /^exit (\d+)$/m.exec(report) ?? [];
  if (status !== undefined) return { kind: "exited", exitCode: Number(status) };
  const [, code, reason] = /^failed (\w+) (.*)$/m.exec(report) ?? [];
  if (code !== undefined && reason !== undefined)
    return { kind: "failed", code: code as ErrorCode, message: reason };
  return withoutEnd(seen, SHELL_HINTS);
}

/** Hints for what the tool says of its own failure: for its execv, and for anything else. */
interface Hints {
  readonly exec: string;
  readonly other: string;
}

const GUEST_HINTS: Hints = {
  exec: "The init inside is executed by the procfs of the sandbox, from a file in memory: sysctl vm.memfd_noexec or a security module may forbid that.",
  other: "The tool opens each source of a bind as the calling user.",
};
const SHELL_HINTS: Hints = {
  exec: "The root has no /bin/sh that works, and without a mount of type `proc` the program is supervised by it.",
  other:
    "Without a mount of type `proc` the root must have /bin/sh and env; the tool opens each source of a bind as the calling user.",
};

const HINT = "hint: ";

/** Nobody has said how the program ended. The exit status of the tool is 1 for every failure. */
function withoutEnd({ exitCode, signal, report, stderr }: Observation, hints: Hints): Verdict {
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
  const lines = stderr.trim().split("\n");
  // The drop-in says on a line of its own what to do.
  const given =
    lines.at(-1)?.startsWith(HINT) === true ? lines.pop()?.slice(HINT.length) : undefined;
  const reasonGiven = lines.at(-1) || "its reason went to standard error";
  const message = `linux-user-chroot ended with status ${exitCode} before the program started: ${reasonGiven}`;
  return { ...failed, message, hint: given ?? hintFor(reasonGiven, hints) };
}

function hintFor(reason: string, { exec, other }: Hints): string {
  if (reason.startsWith("execv:")) return exec;
  if (reason.startsWith("Couldn't open"))
    return "A source of a bind, or the root, cannot be opened by this user.";
  return other;
}
