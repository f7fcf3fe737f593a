import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { type ErrorCode, isSandboxError, type SandboxError } from "@sandboxlib/core";
import { refusedPartOf } from "@sandboxlib/core/internal";
import type { Ran } from "./opened.js";

/** Asserts that a program ran to its end and was content, and hands the result on. */
export function succeeded(ran: Ran): Ran {
  const { outcome, exitCode, err } = ran;
  assert.deepEqual({ outcome, exitCode }, { outcome: "exited", exitCode: 0 }, `stderr: ${err}`);
  return ran;
}

/** Asserts that a sandbox refuses with one of the codes, and hands the error on. */
export async function refused(
  attempt: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<SandboxError> {
  const expected = codes.join(" or ");
  try {
    await attempt;
  } catch (error) {
    if (!isSandboxError(error)) throw error;
    // A case that asks for a part that the backend leaves out has shown nothing.
    if (refusedPartOf(error) !== undefined) throw error;
    assert(codes.includes(error.code), `${error.code} instead of ${expected}: ${error.message}`);
    return error;
  }
  assert.fail(`nothing was refused; expected ${expected}`);
}

/**
 * Waits for the next text of a stream; fails when the stream ends first. What comes later is kept for the next call, while
 * the program runs.
 */
export function nextText(stream: Readable | null): Promise<string> {
  return new Promise((resolve, reject) => {
    assert(stream !== null, "there is no stream");
    const ended = (): void =>
      reject(new assert.AssertionError({ message: "the program ended without a word" }));
    stream.once("data", (chunk: Buffer) => {
      stream.pause().off("close", ended);
      resolve(chunk.toString());
    });
    stream.once("close", ended).resume();
  });
}
