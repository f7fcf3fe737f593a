import { constants } from "node:os";
import type { ErrorCode, Exceeded, SandboxResult } from "@sandboxlib/core";

/** How a command ends: with an exit code, or of the signal that it has handed on and that has ended the program. */
export type End = number | NodeJS.Signals;

const TIMED_OUT = 124;
const SANDBOX_FAILED = 125;

/** The exit code that stands for a result: the program's own, 124 when it timed out, 128+n when signal n ended it. */
export function exitCodeOf({ outcome, exitCode, signal, exceeded }: SandboxResult): number {
  switch (outcome) {
    case "exited":
      return exitCode ?? SANDBOX_FAILED;
    case "signaled":
      return signal === undefined ? SANDBOX_FAILED : 128 + numberOf(signal);
    case "timed-out":
      return TIMED_OUT;
    case "limit-exceeded":
      return exceeded === undefined ? SANDBOX_FAILED : EXCEEDED[exceeded.limit];
    case "aborted":
      return SANDBOX_FAILED;
  }
}

/** A limit that the kernel enforces with a signal has the exit code that a shell reports for this signal. */
const EXCEEDED: Readonly<Record<Exceeded["limit"], number>> = {
  cpuTime: 128 + constants.signals.SIGXCPU,
  fileSize: 128 + constants.signals.SIGXFSZ,
  memory: 128 + constants.signals.SIGKILL,
  stdout: SANDBOX_FAILED,
  stderr: SANDBOX_FAILED,
};

/** Node does not know real-time signals. Core names them by their distance to SIGRTMIN, which is 34 in glibc. */
function numberOf(signal: NodeJS.Signals): number {
  const [, above] = /^SIGRTMIN([+-]\d+)$/.exec(signal) ?? [];
  return above === undefined ? constants.signals[signal] : 34 + Number(above);
}

/** The exit code for an error of the library: 2 for a config that is not valid, as for a wrong option. */
export function exitCodeOfError(code: ErrorCode): number {
  switch (code) {
    case "CONFIG_INVALID":
      return 2;
    case "COMMAND_NOT_EXECUTABLE":
      return 126;
    case "COMMAND_NOT_FOUND":
      return 127;
    default:
      return SANDBOX_FAILED;
  }
}
