import { isSandboxError, SandboxError } from "@sandboxlib/core";

/** The option that set each field of a config. Errors of core name fields, but users have written options. */
export type Origins = ReadonlyMap<string, string>;

/** The option that set a field or, if there is none, what contains it: `mounts[3]` for `mounts[3].source`. */
export function originOf(origins: Origins, path: string): string | undefined {
  for (let at = path; at !== ""; at = at.replace(/(^|\.)[^.[\]]*$|\[[^[\]]*\]$/, "")) {
    const origin = origins.get(at);
    if (origin !== undefined) return origin;
  }
  return undefined;
}

/** The same error with the option that set the field at the end of its message. */
export function withOrigin(error: unknown, origins: Origins): unknown {
  if (!isSandboxError(error) || error.path === undefined) return error;
  const origin = originOf(origins, error.path);
  if (origin === undefined) return error;
  const { code, path, hint, backend, cause } = error;
  return new SandboxError(code, `${error.message} (${origin})`, {
    path,
    cause,
    ...(hint !== undefined && { hint }),
    ...(backend !== undefined && { backend }),
  });
}
