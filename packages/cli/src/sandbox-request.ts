import {
  allCapabilities,
  CAPABILITIES,
  type Capability,
  isCapability,
  type Prefer,
  type Sandbox,
  type SandboxResult,
} from "@sandboxlib/core";
import type { FormatName, ImageOptions } from "@sandboxlib/image";
import { type CommandLine, valueOf, valuesOf } from "./command-line.js";
import type { WrittenConfig } from "./config-from-options.js";
import { CliError, didYouMean } from "./errors.js";
import type { OptionName } from "./options.js";

/** What a command line asks for: a config, and a sandbox of it whose root is a directory or an image. */
export interface SandboxRequest {
  readonly written: WrittenConfig;
  /**
   * @param isUntried - Whether what a run finds out for itself may be presumed: see `UNTRIED`.
   * @throws SandboxError if the config is not valid or cannot be enforced; it names the option at fault.
   */
  open(isUntried?: boolean): Promise<OpenSandbox>;
}

/** A sandbox, and what an image adds to it. */
export interface OpenSandbox {
  readonly sandbox: Sandbox;
  /** What the user should know about the image. */
  readonly notes: readonly string[];
  /** Those of the notes that no earlier run of the image has told. From now on they count as told. */
  readonly untold?: () => readonly string[];
  /** Runs the program, and what the image says is to be run before and after it. Returns the result of the program. */
  readonly runAll: (run: RunCommand) => Promise<SandboxResult>;
  readonly close: () => Promise<void>;
}

/** Runs a command in the sandbox; without `argv`, the program. */
export type RunCommand = (argv: readonly string[] | undefined) => Promise<SandboxResult>;

/** The options of a command line that core takes beside a config. */
export function sandboxOptions(line: CommandLine): {
  readonly backend: string | undefined;
  readonly prefer: Prefer;
  readonly cgroup: string | undefined;
} {
  return {
    backend: valueOf(line, "backend"),
    prefer: preferOf(line),
    cgroup: valueOf(line, "cgroup"),
  };
}

/** The needs that may be dropped, as --prefer and --degrade say. @throws CliError */
export function preferOf(line: CommandLine): Prefer {
  const named = valuesOf(line, "prefer").map(droppable);
  return line.options.has("degrade") ? "all" : named;
}

function droppable(word: string): Capability {
  const known = allCapabilities().filter((name) => CAPABILITIES[name].droppable);
  const shown = JSON.stringify(word);
  if (!isCapability(word)) {
    throw new CliError(`--prefer: ${shown} is no capability.${didYouMean(word, known)}`, {
      hint: `There are ${known.join(", ")}.`,
    });
  }
  if (CAPABILITIES[word].droppable) return word;
  throw new CliError(`--prefer: ${word} cannot be let go: it decides what the program is given`, {
    hint: `These can: ${known.join(", ")}.`,
  });
}

/** How the image of a command line is to be opened. @throws CliError */
export function imageOptions(line: CommandLine): ImageOptions {
  const images = valueOf(line, "images");
  const maxSize = valueOf(line, "max-size");
  const volumes = valuesOf(line, "volume");
  return {
    digest: valueOf(line, "digest"),
    platform: valueOf(line, "platform"),
    tag: valueOf(line, "tag"),
    degrade: line.options.has("degrade"),
    ...(images !== undefined && { images }),
    ...(maxSize !== undefined && { maxSize }),
    ...(volumes.length > 0 && { volumes: Object.fromEntries(volumes) }),
  };
}

/** The options that only images of some formats take. An image of another format would ignore them. */
const ONLY_FORMATS: readonly (readonly [OptionName, readonly FormatName[]])[] = [
  ["volume", ["aci"]],
  ["images", ["aci"]],
  ["tag", ["oci", "docker"]],
  ["platform", ["oci", "docker"]],
];

/** Refuses an option that an image of this format would ignore. @throws CliError */
export function assertFormatTakes(line: CommandLine, format: FormatName): void {
  const found = ONLY_FORMATS.find(
    ([name, formats]) => line.options.has(name) && !formats.includes(format),
  );
  if (found === undefined) return;
  const [name, formats] = found;
  throw new CliError(
    `--${name}: is for images of the format ${formats.join(" or ")}, and this one is ${format}`,
  );
}
