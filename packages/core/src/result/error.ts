import type { Capability } from "../capability/capability.js";

/** Every way in which a sandbox itself can fail. The codes are stable; the messages are not. */
export const ERROR_CODES = [
  "CONFIG_INVALID",
  "BACKEND_NOT_FOUND",
  "BACKEND_INVALID",
  "BACKEND_UNAVAILABLE",
  "CAPABILITY_UNSUPPORTED",
  "PATH_INVALID",
  "IMAGE_INVALID",
  "COMMAND_NOT_FOUND",
  "COMMAND_NOT_EXECUTABLE",
  "LAUNCH_FAILED",
  "STREAM_FAILED",
  "VERIFY_FAILED",
  "CLEANUP_FAILED",
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What a {@link SandboxError} carries besides its message. */
export interface ErrorDetails {
  /** The config field at fault, written as `mounts[0].source`. */
  readonly path?: string;
  /** What the user can do about it. */
  readonly hint?: string;
  /** The backend that was asked. */
  readonly backend?: string;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * A sandbox that failed. A program that fails is a result, never an error.
 *
 * The class may exist twice in one process (the library and a bundled command line), so ask
 * {@link isSandboxError} instead of `instanceof`.
 */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly hint: string | undefined;
  readonly backend: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.hint = details.hint;
    this.backend = details.backend;
  }
}

/** Notes of an error that the program had not begun, so that nothing has happened that cannot be tried once more. */
export function markUnbegun(error: SandboxError): void {
  unbegun.add(error);
}

/** Whether an error is one of those. */
export function isUnbegun(error: unknown): boolean {
  return error instanceof SandboxError && unbegun.has(error);
}

const unbegun = new WeakSet<SandboxError>();

/** Notes of an error that a backend refuses a part of a capability that it declares. */
export function markPart(error: SandboxError, capability: Capability): void {
  parts.set(error, capability);
}

/** The capability of which an error refuses a part, if it does. */
export function refusedPartOf(error: unknown): Capability | undefined {
  return error instanceof SandboxError ? parts.get(error) : undefined;
}

const parts = new WeakMap<SandboxError, Capability>();

/** Whether a caught value is a {@link SandboxError}, whichever copy of the library threw it. */
export function isSandboxError(value: unknown): value is SandboxError {
  return (
    value instanceof Error &&
    value.name === "SandboxError" &&
    "code" in value &&
    ERROR_CODES.some((code) => code === value.code)
  );
}
