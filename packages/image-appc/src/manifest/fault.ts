import { SandboxError } from "@sandboxlib/core";

/** An error about a manifest or what it refers to: one line, which starts with the field. */
export function fault(path: string, reason: string, hint?: string): SandboxError {
  return new SandboxError("IMAGE_INVALID", `${path}: ${reason}`, {
    path,
    ...(hint !== undefined && { hint }),
  });
}

/** A value for a message. Control characters are escaped, since a hostile one could change a terminal; long ones are cut. */
export function show(value: unknown): string {
  const json = (JSON.stringify(value) ?? String(value)).replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}
