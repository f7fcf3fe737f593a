import { isSandboxError, SandboxError } from "../result/error.js";

/** What to say of a backend that does not keep the contract. */
export function broken(backend: string, what: string, cause?: unknown): SandboxError {
  const message = `the backend ${backend} does not keep the contract: ${what}`;
  return new SandboxError("BACKEND_INVALID", message, {
    backend,
    hint: "Tell its author.",
    cause,
  });
}

/**
 * What a part of a backend answers.
 *
 * @throws SandboxError the backend's own; `BACKEND_INVALID` for anything else that it throws.
 */
export function answerOf<Value>(backend: string, part: string, ask: () => Value): Value {
  try {
    return ask();
  } catch (cause) {
    throw thrownBy(backend, part, cause);
  }
}

/** The error for what a part of a backend has thrown: nothing but a SandboxError gets through. */
export function thrownBy(backend: string, part: string, cause: unknown): SandboxError {
  if (isSandboxError(cause)) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return broken(backend, `${part} failed with what is no SandboxError: ${why}`, cause);
}
