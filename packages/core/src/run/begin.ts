import { PassThrough, Readable } from "node:stream";
import type { StdioTargets } from "../backend/running.js";
import { now } from "../host/lazily.js";
import { SandboxError } from "../result/error.js";
import type { Prepared } from "../start/prepared.js";
import type { Started } from "../start/started.js";
import { childOf, type SandboxChild, type Terms } from "./child.js";
import type { RunOptions } from "./options.js";
import { resolveStdio } from "./stdio.js";

/**
 * Starts a command with the streams that its options ask for, and follows it to its end. When its signal has been
 * aborted already, nothing is started. A command that is not there rejects the result, as it does where a launcher or an
 * engine finds out later.
 *
 * @throws SandboxError as {@link resolveStdio} and `start` do.
 */
export function begin(
  prepared: Prepared,
  terms: Terms,
  options: RunOptions,
  start: (targets: StdioTargets) => Started,
): SandboxChild {
  if (options.signal?.aborted === true) return aborted(terms, options);
  const stdio = resolveStdio(prepared, options);
  try {
    return childOf(start(stdio.targets), terms, stdio.options, stdio);
  } catch (error) {
    stdio.close();
    if (isLack(error)) return childOf(neverStarted(error), terms, options);
    throw error;
  }
}

function isLack(error: unknown): error is SandboxError {
  return (
    error instanceof SandboxError &&
    (error.code === "COMMAND_NOT_FOUND" || error.code === "COMMAND_NOT_EXECUTABLE")
  );
}

/** As {@link begin}, for a start that answers later. */
export async function beginAsync(
  prepared: Prepared,
  terms: Terms,
  options: RunOptions,
  start: (targets: StdioTargets) => Promise<Started>,
): Promise<SandboxChild> {
  if (options.signal?.aborted === true) return aborted(terms, options);
  const stdio = resolveStdio(prepared, options);
  try {
    return childOf(await start(stdio.targets), terms, stdio.options, stdio);
  } catch (error) {
    stdio.close();
    throw error;
  }
}

function aborted(terms: Terms, options: RunOptions): SandboxChild {
  return childOf(neverStarted(), terms, options);
}

/** The `Started` of a program that never began: by default because its signal was aborted before. Its streams are empty. */
export function neverStarted({ code, message, path, hint }: Lack = ABORTED): Started {
  const why = {
    code,
    message,
    ...(path !== undefined && { path }),
    ...(hint !== undefined && { hint }),
  };
  return {
    startedAt: now(),
    streams: {
      stdin: new PassThrough().resume(),
      stdout: Readable.from([]),
      stderr: Readable.from([]),
    },
    ended: Promise.resolve({ verdict: () => ({ kind: "failed", ...why }), enforced: () => [] }),
    signal: () => false,
    kill: () => true,
  };
}

type Lack = Pick<SandboxError, "code" | "message"> & Partial<Pick<SandboxError, "path" | "hint">>;

const ABORTED: Lack = { code: "LAUNCH_FAILED", message: "the run was aborted before it began" };
