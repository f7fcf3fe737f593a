import type { Observation, Report, Verdict } from "@sandboxlib/core/backend";

/** Reads what bwrap has written for --json-status-fd: one JSON object a line. */
export function readReport(report: string): Report {
  const started = documents(report).find((document) => "child-pid" in document);
  if (started === undefined) return {};
  const namespaces = Object.entries(KEYS).flatMap(([key, name]) => {
    const inode = started[key];
    return typeof inode === "number" ? [[name, inode]] : [];
  });
  const pid = started["child-pid"];
  return {
    ...(typeof pid === "number" && { initPid: pid }),
    namespaces: Object.fromEntries(namespaces) as NonNullable<Report["namespaces"]>,
  };
}

/**
 * bwrap reports an exit code only when the program was started. When it fails itself, it reports none, and its status
 * is 1.
 */
export function interpret({ exitCode, signal, report, stderr }: Observation): Verdict {
  const ended = documents(report).find((document) => "exit-code" in document)?.["exit-code"];
  if (typeof ended === "number") return { kind: "exited", exitCode: ended };
  const message = /^bwrap: (.*)$/m.exec(stderr)?.[1];
  const exec =
    message === undefined ? null : /^execvp .*: (No such file or directory)?/.exec(message);
  if (exec !== null) {
    const code = exec[1] === undefined ? "COMMAND_NOT_EXECUTABLE" : "COMMAND_NOT_FOUND";
    return { kind: "failed", code, message: `command: ${message}` };
  }
  const how =
    signal === null
      ? `ended with status ${exitCode} before the program started: ${message ?? "its reason went to standard error"}`
      : `was killed by ${signal}, and the program with it`;
  return { kind: "failed", code: "LAUNCH_FAILED", message: `bwrap ${how}` };
}

const KEYS = {
  "mnt-namespace": "mount",
  "pid-namespace": "pid",
  "ipc-namespace": "ipc",
  "uts-namespace": "uts",
  "cgroup-namespace": "cgroup",
  "net-namespace": "network",
} as const;

/** The complete lines. The last one may not have been written to its end yet. */
function documents(report: string): Record<string, unknown>[] {
  return report
    .split("\n")
    .slice(0, -1)
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
