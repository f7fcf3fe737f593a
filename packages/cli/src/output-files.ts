import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandLine } from "./command-line.js";
import { CliError } from "./errors.js";
import type { OptionName } from "./options.js";

/** The options that name a file to read. */
const READ = ["config", "env-file", "seccomp", "pod", "root"] as const;

/** The options that name a file to write, in place of what is there. */
const WRITTEN = ["result-file", "meta", "output"] as const;

/**
 * Refuses to replace what the same command line reads, as `--config c.json --result-file c.json` would, or to write two
 * things to one file, whatever the names by which the file is called.
 *
 * @throws CliError
 */
export function assertOutputsApart(line: CommandLine): void {
  if (!WRITTEN.some((name) => line.options.has(name))) return;
  const taken = new Map<string, string>();
  if (line.root !== undefined) taken.set(fileOf(line.root), "ROOT");
  for (const [option, path] of pathsOf(line, READ)) taken.set(fileOf(path), option);
  for (const [option, path] of pathsOf(line, WRITTEN)) {
    const other = taken.get(fileOf(path)) ?? option;
    if (other !== option)
      throw new CliError(`${option}: ${JSON.stringify(path)} is the file of ${other}, too`, {
        hint: "Choose another name: the file would be replaced.",
      });
    taken.set(fileOf(path), option);
  }
}

function pathsOf({ options }: CommandLine, names: readonly OptionName[]): [string, string][] {
  return names.flatMap((name) =>
    (options.get(name) ?? []).map((path): [string, string] => [`--${name}`, path]),
  );
}

/** What tells a file from others: its inode, or its path while it is not there. */
function fileOf(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return resolve(path);
  }
}
