import type { SandboxError } from "@sandboxlib/core";
import { CliError } from "./cli-error.js";
import { exitCodeOfError } from "./exit-code.js";
import { Interrupted } from "./interrupted.js";
import type { Output } from "./io.js";
import { paint } from "./paint.js";
import { printable } from "./printable.js";

/** Says in one line what went wrong, in another what helps, and gives the exit code. */
export function reportError(error: unknown, stderr: Output, verbose: boolean): number {
  const { message, hint } = describeError(error);
  stderr.write(`${paint(stderr, "red", "sandboxlib:")} ${printable(message)}\n`);
  if (hint !== undefined) stderr.write(`hint: ${printable(hint)}\n`);
  if (verbose && !isExpected(error) && error instanceof Error) {
    stderr.write(`${(error.stack ?? "").split("\n").map(printable).join("\n")}\n`);
  }
  if (error instanceof CliError) return error.exitCode;
  return isFailure(error) ? exitCodeOfError(error.code) : INTERNAL_EXIT_CODE;
}

/** An error as data, for the result file. */
export interface ErrorReport {
  /** A code of the library; `USAGE` for a wrong command line, `INTERRUPTED` for a signal, `INTERNAL` for a fault of ours. */
  readonly code: string;
  readonly message: string;
  readonly path?: string | undefined;
  readonly hint?: string | undefined;
  readonly backend?: string | undefined;
}

/** Puts what was thrown into words. */
export function describeError(error: unknown): ErrorReport {
  if (error instanceof CliError) return { code: "USAGE", message: error.message, hint: error.hint };
  if (error instanceof Interrupted) return { code: "INTERRUPTED", message: error.message };
  if (isFailure(error)) {
    const { code, message, path, hint, backend } = error;
    return { code, message, path, hint, backend };
  }
  return {
    code: "INTERNAL",
    message: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    hint: "This is a bug. Please report it with what --verbose prints.",
  };
}

const INTERNAL_EXIT_CODE = 125;

function isExpected(error: unknown): boolean {
  return error instanceof CliError || isFailure(error);
}

/** By its name, so that a wrong option need not wait until the library is loaded. */
function isFailure(error: unknown): error is SandboxError {
  return error instanceof Error && error.name === "SandboxError";
}
