import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import type { ResolvedConfig } from "../../backend/resolved-config.js";
import type { Word } from "../../config/text.js";
import {
  HINT_PROCESSES,
  limitFailure,
  RLIMITS,
  type RlimitName,
  rlimitNames,
} from "../../host/rlimit.js";
import { assertProgram } from "../../paths/program.js";
import { isSandboxError, SandboxError } from "../../result/error.js";
import { HINT_TOO_LONG, TOO_LONG } from "../spawn-tool.js";
import type { Failed } from "./message.js";

/** What a failure that the launcher reports means to the caller. `name` is the command's own, as it was asked for. */
export function failureOf(failed: Failed, config: ResolvedConfig, name: Word): SandboxError {
  switch (failed.kind) {
    case PATH:
      return pathFailure(failed);
    case PROGRAM:
      return programFailure(failed, config, name);
    case READ_BACK:
      return error("VERIFY_FAILED", failed, `${reason(failed)}, although it was set up`);
    case CWD:
      return new SandboxError(
        "PATH_INVALID",
        `cwd: ${JSON.stringify(config.cwd)} cannot be entered: ${errorName(failed.errno)}`,
        { path: "cwd" },
      );
    case LEFT:
      return error("CLEANUP_FAILED", failed, "a process of the run would not die");
    case INIT:
      return error("LAUNCH_FAILED", failed, `pid 1 of the sandbox ${how(failed.errno)}`);
    case LIMIT:
      return limitFailure(limitNamed(failed.what), config.limits, errorName(failed.errno));
    default:
      return error(
        "LAUNCH_FAILED",
        failed,
        `the sandbox cannot be set up: ${reason(failed)}`,
        config.limits.processes !== undefined && errorName(failed.errno) === "EAGAIN"
          ? HINT_PROCESSES
          : undefined,
      );
  }
}

const [PATH, PROGRAM, READ_BACK, CWD, LEFT, INIT, LIMIT] = [2, 3, 4, 5, 6, 7, 8] as const;

/** The limit whose number the launcher has reported. */
function limitNamed(resource: string): RlimitName {
  const name = rlimitNames().find((each) => String(RLIMITS[each].resource) === resource);
  if (name === undefined) throw new RangeError(`the launcher failed to set the limit ${resource}`);
  return name;
}

function pathFailure(failed: Failed): SandboxError {
  const changed = new Set(["ELOOP", "ENOENT", "ENOTDIR", "EISDIR"]).has(errorName(failed.errno));
  const what = changed ? "is not what it was when the sandbox was made" : "cannot be reached";
  return new SandboxError("PATH_INVALID", `${failed.path}: the path ${what} (${reason(failed)})`, {
    path: failed.path,
    ...(changed && { hint: "Make a new sandbox after the change." }),
  });
}

/** The kernel has refused to execute the program. Looking it up once more may explain why. */
function programFailure(failed: Failed, config: ResolvedConfig, name: Word): SandboxError {
  const why = errorName(failed.errno);
  const shown = typeof name === "string" ? name : Buffer.from(name).toString();
  if (why === "E2BIG") {
    const message = `command: ${JSON.stringify(shown)} cannot be started: ${TOO_LONG}`;
    return new SandboxError("LAUNCH_FAILED", message, { path: "command", hint: HINT_TOO_LONG });
  }
  try {
    if (typeof name === "string") assertProgram(config, name);
  } catch (cause) {
    if (isSandboxError(cause)) return cause;
  }
  const path = "command";
  const message = `${path}: ${JSON.stringify(shown)} cannot be executed: ${why}`;
  if (why === "ENOENT") return new SandboxError("COMMAND_NOT_FOUND", message, { path });
  const code = OURS.has(why) ? "LAUNCH_FAILED" : "COMMAND_NOT_EXECUTABLE";
  return new SandboxError(code, message, { path });
}

/** Errors of execve(2) that are about the host, not about the program. */
const OURS: ReadonlySet<string> = new Set(["ENOMEM", "EAGAIN", "EMFILE", "ENFILE"]);

function error(
  code: "LAUNCH_FAILED" | "VERIFY_FAILED" | "CLEANUP_FAILED",
  { path, errno }: Failed,
  message: string,
  hint: string | undefined = HINTS[errorName(errno)],
): SandboxError {
  return new SandboxError(code, path === "" ? message : `${path}: ${message}`, {
    ...(path !== "" && { path }),
    ...(hint !== undefined && { hint }),
  });
}

const HINTS: Readonly<Record<string, string>> = {
  EPERM: "Run `sandboxlib doctor` to learn what forbids it here.",
  ENOSPC: "A limit is reached: of namespaces (sysctl user.max_*_namespaces), mounts or memory.",
  EAGAIN: "There are too many processes: see `ulimit -u` and sysctl kernel.pid_max.",
  EDQUOT:
    "This user has too many keyrings, one for each running sandbox: see sysctl kernel.keys.maxkeys.",
  EMFILE: "There are too many open files: see `ulimit -n`.",
};

function reason({ what, errno }: Failed): string {
  return errno === 0 ? what : `${what}: ${errorName(errno)}`;
}

function how(status: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === (status & 127));
  return signal === undefined
    ? `ended with status ${status >> 8}, and the program with it`
    : `was killed by ${signal[0]}, and the program with it`;
}

/** libuv has a name for most errors, and the system for the others, such as ENOEXEC. */
function errorName(errno: number): string {
  if (errno <= 0) return String(errno);
  const name = getSystemErrorName(-errno);
  if (!name.startsWith("Unknown")) return name;
  return Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? name;
}
