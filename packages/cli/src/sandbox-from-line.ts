import {
  allCapabilities,
  CAPABILITIES,
  type Capability,
  createSandbox,
  isCapability,
  type Prefer,
  type Sandbox,
} from "@sandboxlib/core";
import { CliError } from "./cli-error.js";
import { type CommandLine, valueOf } from "./command-line.js";
import type { WrittenConfig } from "./config-from-options.js";
import { hostPath } from "./host-path.js";
import { withOrigin } from "./origins.js";
import { didYouMean } from "./suggest.js";

/** Makes the sandbox that a command line asks for; an error names the option behind the field at fault. */
export async function sandboxFrom(
  line: CommandLine,
  { config, origins }: WrittenConfig,
): Promise<Sandbox> {
  try {
    return await createSandbox(config, sandboxOptions(line));
  } catch (error) {
    throw withOrigin(error, origins);
  }
}

/** How a command line wants its sandboxes made, whatever they are made of. */
export function sandboxOptions(line: CommandLine): {
  readonly backend: string | undefined;
  readonly prefer: Prefer;
  readonly cgroup: string | undefined;
} {
  const cgroup = valueOf(line, "cgroup");
  return {
    backend: valueOf(line, "backend"),
    prefer: preferOf(line),
    cgroup: cgroup === undefined ? undefined : hostPath(cgroup),
  };
}

/** The needs that may be let go, as --prefer and --degrade say. */
export function preferOf({ options }: CommandLine): Prefer {
  const named = (options.get("prefer") ?? []).map(droppable);
  return options.has("degrade") ? "all" : named;
}

function droppable(word: string): Capability {
  const known = allCapabilities().filter((name) => CAPABILITIES[name].droppable);
  if (!isCapability(word)) {
    throw new CliError(
      `--prefer: ${JSON.stringify(word)} is no capability.${didYouMean(word, known)}`,
      {
        hint: `There are ${known.join(", ")}.`,
      },
    );
  }
  if (CAPABILITIES[word].droppable) return word;
  throw new CliError(`--prefer: ${word} cannot be let go: it decides what the program is given`, {
    hint: `These can: ${known.join(", ")}.`,
  });
}
