import type { SandboxError } from "@sandboxlib/core";
import { nearest } from "@sandboxlib/core/internal";
import type { CommandName } from "./commands.js";
import { exitCodeOfError } from "./exit-code.js";
import { type Output, paint, printable } from "./output.js";

/** Ends a command with a message. The exit code is 2, for wrong usage, unless `exitCode` says otherwise. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(
    message: string,
    { hint, exitCode = 2 }: { readonly hint?: string | undefined; readonly exitCode?: number } = {},
  ) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** A signal has asked this process to end before it had started a program that could be sent the signal. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}

/** Prints what went wrong on one line and the hint on another. Returns the exit code. */
export function reportError(error: unknown, stderr: Output, verbose: boolean): number {
  const { message, hint } = describeError(error);
  stderr.write(`${paint(stderr, "red", "sandboxlib:")} ${printable(message)}\n`);
  if (hint !== undefined) stderr.write(`hint: ${printable(hint)}\n`);
  const isExpected = error instanceof CliError || isSandboxError(error);
  if (verbose && !isExpected && error instanceof Error) {
    stderr.write(`${(error.stack ?? "").split("\n").map(printable).join("\n")}\n`);
  }
  return exitCodeOfThrown(error);
}

/** The exit code that stands for whatever was thrown. */
export function exitCodeOfThrown(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  return isSandboxError(error) ? exitCodeOfError(error.code) : INTERNAL_EXIT_CODE;
}

const INTERNAL_EXIT_CODE = 125;

/** An error as data, for the result file. */
export interface ErrorReport {
  /** A code of the library; `USAGE` for a wrong command line, `INTERRUPTED` for a signal, `INTERNAL` for a bug of ours. */
  readonly code: string;
  readonly message: string;
  readonly path?: string | undefined;
  readonly hint?: string | undefined;
  readonly backend?: string | undefined;
}

/** Describes whatever was thrown. */
export function describeError(error: unknown): ErrorReport {
  if (error instanceof CliError) return { code: "USAGE", message: error.message, hint: error.hint };
  if (error instanceof Interrupted) return { code: "INTERRUPTED", message: error.message };
  if (isSandboxError(error)) {
    const { code, message, path, hint, backend } = error;
    return { code, message, path, hint, backend };
  }
  return {
    code: "INTERNAL",
    message: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    hint: "This is a bug. Please report it with what --verbose prints.",
  };
}

/** Looks at the name, and not at core's class: a wrong option is reported before core is loaded. */
function isSandboxError(error: unknown): error is SandboxError {
  return error instanceof Error && error.name === "SandboxError";
}

/** The hint that leads to the help of a command. */
export function seeHelp(command: CommandName): string {
  return `See \`sandboxlib ${command} --help\`.`;
}

/** The known word that a user probably meant, as a sentence to append; empty when none is similar. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = nearest(word, [...known]);
  return near === undefined ? "" : ` Did you mean ${near}?`;
}
