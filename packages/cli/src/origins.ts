import { isSandboxError, SandboxError } from "@sandboxlib/core";
import { OPTIONS } from "./options.js";

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

/** The same error with the option that set the field at the end of its message, and a hint that speaks of options. */
export function withOrigin(error: unknown, origins: Origins): unknown {
  if (!isSandboxError(error)) return error;
  const { code, path, hint, backend, cause } = error;
  const origin = path === undefined ? undefined : originOf(origins, path);
  // A message about the command names it already, and so does one that has passed here before.
  const isNamed =
    origin === undefined || origin === "COMMAND" || error.message.endsWith(` (${origin})`);
  const message = isNamed ? error.message : `${error.message} (${origin})`;
  return new SandboxError(code, message, {
    cause,
    ...(path !== undefined && { path }),
    ...(hint !== undefined && { hint: inOptions(hint, origins) }),
    ...(backend !== undefined && { backend }),
  });
}

/** A hint of core with commands and options in place of functions and fields of the library. */
export function withCommands(hint: string): string {
  return hint
    .replace("`configJsonSchema()`", "`sandboxlib schema`")
    .replace(/prefer: \[[^\]]*\] \(([^)]*)\)/, "$1");
}

/** A hint of core in the words of the command line. Fields of a config file keep their names. */
export function inOptions(hint: string, origins: Origins): string {
  const hasFile = [...origins.values()].some((origin) => origin.startsWith("--config "));
  const words = withCommands(hint);
  if (hasFile) return words;
  return words
    .replace("`defaultMounts: false`", "--no-default-mounts")
    .replace(
      /mounts\[\d+\]/g,
      (path) => origins.get(path) ?? "the default mounts (--no-default-mounts)",
    )
    .replace(/`([\w.]+)`/g, (quoted, field: string) => OPTION_OF.get(field) ?? quoted);
}

/** The option of each field that has just one. */
const OPTION_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(OPTIONS).flatMap(([name, option]) =>
    option.argument === undefined || option.field === undefined || option.field === "mounts"
      ? []
      : [[option.field, `--${name}`] as const],
  ),
);
