import { isSandboxError, SandboxError } from "@sandboxlib/core";

/**
 * Makes an error about an image, `IMAGE_INVALID`. Names that come from the image must be passed through {@link shown}
 * first.
 */
export function invalidImage(message: string, hint?: string, cause?: unknown): SandboxError {
  return new SandboxError("IMAGE_INVALID", message, {
    ...(hint !== undefined && { hint }),
    cause,
  });
}

/** The error for a file that is not what it was when it was found. */
export function changed(path: string): SandboxError {
  return invalidImage(`${shown(path)} was changed while it was read`);
}

/** Adds the path of the image to an error. */
export function withPath(path: string, error: unknown): unknown {
  if (!isSandboxError(error) || error.code !== "IMAGE_INVALID") return error;
  return invalidImage(`${shown(path)}: ${error.message}`, error.hint, error);
}

const LONGEST_SHOWN = 200;

/** Prepares a name from an image for a message of one line: it is quoted, escaped and cut to 200 characters. */
export function shown(name: string): string {
  return JSON.stringify(name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name);
}

/**
 * Turns an error of the kernel's, such as of a read-only cache or a file that cannot be read, into one that says what was
 * being done. Other errors are given back as they are.
 *
 * @param what - What failed, such as `"alpine.tar" cannot be opened`.
 */
export function withSystemError(what: string, error: unknown): unknown {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return error;
  // The message ends with a path, which may hold anything.
  const why = JSON.stringify(error.message).slice(1, -1);
  return invalidImage(`${what}: ${why}`, undefined, error);
}

/**
 * Runs a step that may refuse the image, by throwing a SandboxError. A caller who only inspects an image goes on after a
 * refusal, with `fallback` as the result of the step.
 */
export type RunStep = <Type>(step: () => Type, fallback: Type) => Type;

/** Runs a step of a caller who wants to run the image: a refusal is thrown. */
export const orThrow: RunStep = (step) => step();

/** Runs steps of a caller who only inspects the image: a refusal becomes a note. */
export function orNote(notes: string[]): RunStep {
  return (step, fallback) => {
    try {
      return step();
    } catch (error) {
      if (!isSandboxError(error)) throw error;
      const { message, hint } = error;
      notes.push(`a run is refused: ${message}${hint === undefined ? "" : ` (${hint})`}`);
      return fallback;
    }
  };
}
