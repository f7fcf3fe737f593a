import { AssertionError } from "node:assert";
import { inspect } from "node:util";
import { isSandboxError, type SandboxResult, type Word } from "@sandboxlib/core";
import { readable } from "./opened.js";

/** A command that a case has run, and what became of it once that is known. */
export interface Recorded {
  readonly argv: readonly Word[];
  seen: string | undefined;
}

const KEPT = 3;
const LONGEST = 400;

/** Keeps the last commands of a case, for the message where it fails. */
export class Records {
  readonly #kept: Recorded[] = [];

  /** Keeps a command, and waits aside for what becomes of it. */
  note<Result extends SandboxResult>(
    argv: readonly Word[] | undefined,
    result: Promise<Result>,
  ): Promise<Result> {
    const record: Recorded = { argv: argv ?? [], seen: undefined };
    this.#kept.push(record);
    if (this.#kept.length > KEPT) this.#kept.shift();
    result.then(
      (own) => (record.seen = described(own)),
      (error: unknown) => (record.seen = `failed: ${firstLine(error)}`),
    );
    return result;
  }

  /** The commands in words, the last one last. */
  text(): string {
    return this.#kept
      .map(({ argv, seen = "has not ended" }) => `  it ran ${words(argv)}\n  which ${seen}`)
      .join("\n");
  }
}

/**
 * Puts what was expected and seen into the first line of a failed assertion, and the commands of the case below it. Errors
 * of a sandbox keep their message; what is neither is a fault of the kit and stays as it is.
 */
export function explained(error: unknown, records: Records): unknown {
  if (!(error instanceof AssertionError || isSandboxError(error))) return error;
  const cause =
    error instanceof AssertionError ? causeOf(error) : `${error.code}: ${error.message}`;
  return reworded(error, [cause, records.text()].filter((part) => part !== "").join("\n"));
}

/** Gives an error another message, in its stack too, which some reporters show. */
export function reworded(error: Error, message: string): Error {
  const { message: before, stack } = error;
  error.message = message;
  if (stack !== undefined) error.stack = stack.replace(before, () => message);
  return error;
}

/** Node's own message begins with the name of the comparison, and shows the values further below. */
function causeOf({
  message,
  generatedMessage,
  actual,
  expected,
  operator,
}: AssertionError): string {
  const isNot = /^not/i.test(operator);
  const values = `expected ${isNot ? "anything but " : ""}${shown(expected)}, and saw ${shown(actual)}`;
  if (/equal/i.test(operator))
    return generatedMessage ? values : `${values}: ${message.split("\n")[0]}`;
  if (!generatedMessage) return message;
  if (operator === "match")
    return `expected what matches ${shown(expected)}, and saw ${shown(actual)}`;
  // Without its source Node shows no more of what does not hold.
  return message === "false == true" ? "it is not so" : message.replaceAll(/\s*\n\s*/g, " ").trim();
}

function shown(value: unknown): string {
  const text = inspect(value, { breakLength: Infinity, maxStringLength: 200, depth: 4 });
  return short(text.replaceAll(/\s*\n\s*/g, " "));
}

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function words(argv: readonly Word[]): string {
  return short(
    argv.map((word) => JSON.stringify(typeof word === "string" ? word : "bytes")).join(" "),
  );
}

function described(result: SandboxResult): string {
  const { outcome, exitCode, signal, out, err } = readable(result);
  const end = [outcome, exitCode ?? signal].filter((part) => part !== undefined).join(" ");
  const output = ([name, text]: readonly [string, string]): string =>
    text === "" ? "" : `, with ${short(JSON.stringify(text))} on ${name}`;
  return end + output(["standard output", out]) + output(["standard error", err]);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
