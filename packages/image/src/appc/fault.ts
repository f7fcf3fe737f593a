import { SandboxError } from "@sandboxlib/core";

/** A manifest, or what it refers to, that cannot be used: one line, which starts with the field. */
export function fault(path: string, reason: string, hint?: string): SandboxError {
  return new SandboxError("IMAGE_INVALID", `${path}: ${reason}`, {
    path,
    ...(hint !== undefined && { hint }),
  });
}

/** JSON escapes control characters, so that a hostile value cannot write to a terminal; long ones are cut. */
export function show(value: unknown): string {
  const json = (JSON.stringify(value) ?? String(value)).replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}
