import { assertUsable, type CommandLine } from "../command-line.js";
import { CliError, seeHelp } from "../errors.js";
import type { Io } from "../output.js";

/** Prints the completions for a shell. */
export async function completion(line: CommandLine, { stdout }: Io): Promise<number> {
  assertUsable(line);
  const [shell, more] = line.program;
  const load = SHELLS.get(shell ?? "");
  if (load === undefined || more !== undefined) {
    const word = more ?? shell;
    const what = word === undefined ? "SHELL is missing" : `${JSON.stringify(word)}: is no shell`;
    throw new CliError(`${what}: bash, zsh or fish?`, { hint: seeHelp("completion") });
  }
  stdout.write(await load());
  return 0;
}

const SHELLS: ReadonlyMap<string, () => Promise<string>> = new Map([
  ["bash", async () => (await import("../completion/bash.js")).bashCompletion()],
  ["zsh", async () => (await import("../completion/zsh.js")).zshCompletion()],
  ["fish", async () => (await import("../completion/fish.js")).fishCompletion()],
]);
