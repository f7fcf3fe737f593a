import type { ConfigInput, Limits } from "@sandboxlib/core";
import { type CommandLine, valueOf } from "./command-line.js";
import { bytes, number, seconds } from "./number.js";
import type { OptionName } from "./option-name.js";

/** The option behind each limit, and how its argument is read. */
export const LIMITS: readonly {
  readonly field: keyof Limits;
  readonly option: OptionName;
  readonly read: (what: string, text: string) => number;
}[] = [
  { field: "wallTime", option: "timeout", read: seconds },
  { field: "cpuTime", option: "cpu-time", read: seconds },
  { field: "addressSpace", option: "address-space", read: size },
  { field: "fileSize", option: "file-size", read: size },
  { field: "openFiles", option: "open-files", read: count },
  { field: "stack", option: "stack", read: size },
  { field: "coreSize", option: "core-size", read: size },
  { field: "memory", option: "memory", read: size },
  { field: "swap", option: "swap", read: size },
  { field: "processes", option: "processes", read: count },
  { field: "cpu", option: "cpu", read: fraction },
  { field: "ioWeight", option: "io-weight", read: count },
];

/**
 * The limits of a command line beside those of the config file.
 *
 * @throws CliError for one that cannot be read.
 */
export function limitsOf(line: CommandLine, file: ConfigInput): Pick<ConfigInput, "limits"> {
  const given = LIMITS.flatMap(({ field, option, read }) => {
    const text = valueOf(line, option);
    return text === undefined ? [] : [[field, read(`--${option}`, text)] as const];
  });
  return given.length === 0 ? {} : { limits: { ...file.limits, ...Object.fromEntries(given) } };
}

function count(what: string, text: string): number {
  return number(what, text, /^\d+$/);
}

function size(what: string, text: string): number {
  return bytes(`${what}: SIZE`, text);
}

function fraction(what: string, text: string): number {
  return number(what, text, /^\d+(\.\d+)?$/);
}
