import type { Verdict } from "../../backend/running.js";
import { ERROR_CODES, SandboxError } from "../../result/error.js";
import { signalNumber } from "../../result/signal.js";

/**
 * Checks what an engine says of the end of a program.
 *
 * @throws SandboxError `BACKEND_INVALID`
 */
export function checkedVerdict(backend: string, verdict: Verdict): Verdict {
  switch (verdict?.kind) {
    case "exited":
      if (Number.isInteger(verdict.exitCode) && verdict.exitCode >= 0 && verdict.exitCode <= 255)
        return verdict;
      throw invalid(backend, `its engine gave the exit code ${String(verdict.exitCode)}`);
    case "signaled":
      if (signalNumber(verdict.signal) !== undefined) return verdict;
      throw invalid(backend, `its engine gave the signal ${String(verdict.signal)}`);
    case "failed":
      if (ERROR_CODES.includes(verdict.code) && typeof verdict.message === "string") return verdict;
      throw invalid(backend, `its engine gave the error code ${String(verdict.code)}`);
    default:
      throw invalid(backend, "its engine gave no verdict on the program");
  }
}

/** What to say of an engine that does not keep the contract. */
export function invalid(backend: string, what: string, cause?: unknown): SandboxError {
  const message = `the backend ${backend} does not keep the contract: ${what}`;
  return new SandboxError("BACKEND_INVALID", message, {
    backend,
    hint: "Tell its author.",
    cause,
  });
}
