import { guest, type Observation, type Verdict } from "@sandboxlib/core/backend";

/** What became of the program, from the init inside; else what the runtime said, whose own words come the same way. */
export function interpret(seen: Observation): Verdict {
  return guest.verdict(seen.report) ?? withoutEnd(seen);
}

function withoutEnd({ exitCode, signal, report, stderr }: Observation): Verdict {
  const failed = { kind: "failed", code: "LAUNCH_FAILED" } as const;
  if (/^up /m.test(report))
    return { ...failed, message: "the init inside was killed, and the program with it" };
  if (signal !== null)
    return {
      ...failed,
      message: `the OCI runtime was killed by ${signal}, and the program with it`,
    };
  const message = `the OCI runtime ended with status ${exitCode} before the program started`;
  return {
    ...failed,
    message: `${message}: ${reasonIn(report) ?? reasonIn(stderr) ?? "it said nothing"}`,
  };
}

/** The last line that a runtime has written: plain, or as `level=error msg="..."`. */
export function reasonIn(text: string): string | undefined {
  const line = text.trim().split("\n").at(-1);
  if (line === undefined || line === "") return undefined;
  const [, quoted] = /\bmsg=("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
  return quoted === undefined ? line : quoted.slice(1, -1).replaceAll('\\"', '"');
}
