import { constants } from "node:os";
import { type SandboxResult, signalNumber, verdictOf } from "@sandboxlib/core";
import { describeError } from "./errors.js";
import { printable } from "./output.js";

/**
 * A result, or the error that came in its place, as the lines of the meta-file that isolate(1) describes, so that a judge
 * can read either. Only its own four words are a status: it has none for memory and output, and says the signal instead.
 */
export function metaText(ended: SandboxResult | Error): string {
  const pairs = ended instanceof Error ? failed(ended) : finished(ended);
  return Object.entries(pairs)
    .flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}:${printable(String(value))}\n`],
    )
    .join("");
}

type Pairs = Readonly<Record<string, string | number | undefined>>;

function failed(error: Error): Pairs {
  return { status: "XX", message: describeError(error).message };
}

function finished(result: SandboxResult): Pairs {
  const { status, message, exitCode, time, wallTime, memory } = verdictOf(result);
  const { voluntarySwitches, involuntarySwitches, oomKills } = result.usage;
  const { outcome, exceeded } = result;
  const isTimeOut = status === "TO";
  const exitsig = isTimeOut ? undefined : signalOf(result);
  const kibibytes = memory === undefined ? undefined : Math.ceil(memory / 1024);
  // Only a cgroup counts the kills for want of memory, and its memory is that of the whole sandbox.
  const hasCgroup = oomKills !== undefined;
  return {
    status: status === "OK" ? undefined : exitsig === undefined ? status : "SG",
    message: status === "OK" ? undefined : message,
    exitcode: isTimeOut ? undefined : exitCode,
    exitsig,
    killed: isTimeOut || outcome === "aborted" ? 1 : undefined,
    time: time?.toFixed(3),
    "time-wall": wallTime?.toFixed(3),
    "max-rss": hasCgroup ? undefined : kibibytes,
    "cg-mem": hasCgroup ? kibibytes : undefined,
    "cg-oom-killed": exceeded?.limit === "memory" ? 1 : undefined,
    "csw-voluntary": voluntarySwitches,
    "csw-forced": involuntarySwitches,
  };
}

/** The number of the signal that ended the program; the kernel keeps two limits with one. */
function signalOf({ signal, exceeded }: SandboxResult): number | undefined {
  if (exceeded?.limit === "memory") return constants.signals.SIGKILL;
  if (exceeded?.limit === "fileSize") return constants.signals.SIGXFSZ;
  return signal === undefined ? undefined : signalNumber(signal);
}
