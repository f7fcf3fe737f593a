import { broken } from "../backend/broken.js";
import type { Verdict } from "../backend/running.js";
import { ERROR_CODES } from "../result/error.js";
import { signalNumber } from "../result/signal.js";

/**
 * Checks what a backend says of the end of a program.
 *
 * @throws SandboxError `BACKEND_INVALID`
 */
export function checkedVerdict(backend: string, verdict: Verdict): Verdict {
  switch (verdict?.kind) {
    case "exited":
      if (Number.isInteger(verdict.exitCode) && verdict.exitCode >= 0 && verdict.exitCode <= 255)
        return verdict;
      throw broken(backend, `it gave the exit code ${String(verdict.exitCode)}`);
    case "signaled":
      if (signalNumber(verdict.signal) !== undefined) return verdict;
      throw broken(backend, `it gave the signal ${String(verdict.signal)}`);
    case "failed":
      if (ERROR_CODES.includes(verdict.code) && typeof verdict.message === "string") return verdict;
      throw broken(backend, `it gave the error code ${String(verdict.code)}`);
    default:
      throw broken(backend, "it gave no verdict on the program");
  }
}
