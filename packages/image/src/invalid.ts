import { SandboxError } from "@sandboxlib/core";

/** What is wrong with an image, as `IMAGE_INVALID`; `message` is one line whatever the image holds. */
export function invalidImage(message: string, hint?: string, cause?: unknown): SandboxError {
  return new SandboxError("IMAGE_INVALID", message, {
    ...(hint !== undefined && { hint }),
    cause,
  });
}

const LONGEST_SHOWN = 200;

/** A name from an archive, made fit for one line: quoted, escaped and not endless. */
export function shown(name: string): string {
  return JSON.stringify(name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name);
}
