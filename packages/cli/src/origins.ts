import { type ConfigInput, isSandboxError, SandboxError } from "@sandboxlib/core";
import { type CommandLine, valueOf } from "./command-line.js";
import { LIMITS } from "./limits.js";
import type { OptionName } from "./option-name.js";

/** Which option gave each field of a config: messages speak of fields, and users wrote options. */
export type Origins = ReadonlyMap<string, string>;

/** @param mounts - The option behind a mount, by its place in the list. */
export function originsOf(
  line: CommandLine,
  file: ConfigInput,
  mounts: ReadonlyMap<number, string>,
): Origins {
  const config = valueOf(line, "config");
  return new Map([
    ...Object.keys(file).map((field) => [field, `--config ${config}`] as const),
    ...singles(line),
    ...numbered(line, "writable", "writable", file.writable),
    ...numbered(line, "hide", "hidden", file.hidden),
    ...numbered(line, "inherit-env", "inheritEnv", file.inheritEnv),
    ...(line.options.get("env") ?? []).map((text) => {
      const [name] = text.split("=", 1);
      return [`env.${name}`, `--env ${name}`] as const;
    }),
    ...[...mounts].map(([place, option]) => [`mounts[${place}]`, option] as const),
  ]);
}

/** The option that gave a field, or the one above it: `mounts[3]` for `mounts[3].source`. */
export function originOf(origins: Origins, path: string): string | undefined {
  for (let at = path; at !== ""; at = at.replace(/(^|\.)[^.[\]]*$|\[[^[\]]*\]$/, "")) {
    const origin = origins.get(at);
    if (origin !== undefined) return origin;
  }
  return undefined;
}

/** The same error, with the option that gave the field behind its message. */
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

const SINGLES: readonly (readonly [field: string, option: OptionName])[] = [
  ["root", "root"],
  ["cwd", "cwd"],
  ["hostname", "hostname"],
  ["network", "network"],
  ["isolate", "isolate"],
  ["user.uid", "uid"],
  ["user.gid", "gid"],
  ...LIMITS.map(({ field, option }) => [`limits.${field}`, option] as const),
  ["stop.signal", "stop-signal"],
  ["stop.grace", "stop-grace"],
];

function singles(line: CommandLine): (readonly [string, string])[] {
  const given: (readonly [string, string])[] = SINGLES.flatMap(([field, option]) => {
    const value = valueOf(line, option);
    return value === undefined ? [] : [[field, `--${option} ${value}`] as const];
  });
  if (line.program.length > 0) given.push(["command", "COMMAND"]);
  return line.root === undefined ? given : [...given, ["root", `ROOT ${line.root}`]];
}

/** The values of an option come after those of the file. */
function numbered(
  { options }: CommandLine,
  option: OptionName,
  field: string,
  listed: "all" | readonly string[] | undefined,
): (readonly [string, string])[] {
  const values = options.get(option) ?? [];
  const before = Array.isArray(listed) ? listed.length : 0;
  return [
    ...values.map(
      (value, index) => [`${field}[${before + index}]`, `--${option} ${value}`] as const,
    ),
    ...values.slice(-1).map((value) => [field, `--${option} ${value}`] as const),
  ];
}
