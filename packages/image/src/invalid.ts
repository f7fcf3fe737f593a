import { SandboxError } from "@sandboxlib/core";

/** An error about an image, `IMAGE_INVALID`. What comes from the image must be passed through {@link shown} first. */
export function invalidImage(message: string, hint?: string, cause?: unknown): SandboxError {
  return new SandboxError("IMAGE_INVALID", message, {
    ...(hint !== undefined && { hint }),
    cause,
  });
}

const LONGEST_SHOWN = 200;

/** A name from an image for a message of one line: quoted, escaped and cut to a limit. */
export function shown(name: string): string {
  return JSON.stringify(name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name);
}
