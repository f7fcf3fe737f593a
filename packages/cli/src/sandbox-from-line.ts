import { statSync } from "node:fs";
import { join } from "node:path";
import { createSandbox } from "@sandboxlib/core";
import type { CommandLine } from "./command-line.js";
import { configFileOf, configFromOptions } from "./config-from-options.js";
import { CliError } from "./errors.js";
import type { OptionName } from "./options.js";
import { withOrigin } from "./origins.js";
import type { Io } from "./output.js";
import { type SandboxRequest, sandboxOptions } from "./sandbox-request.js";

/**
 * Reads which sandbox a command line asks for. An image is unpacked if it is not yet in the cache.
 *
 * @throws CliError for an option that cannot be read; SandboxError for a config file or an image that cannot.
 */
export async function sandboxFromLine(line: CommandLine, io: Io): Promise<SandboxRequest> {
  const file = await configFileOf(line);
  const written = configFromOptions(line, file);
  const { root } = written.config;
  if (root !== undefined && isImage(root)) {
    const { sandboxFromImage } = await import("./sandbox-from-image.js");
    return sandboxFromImage(line, file, root, io);
  }
  assertNoImageOptions(line);
  return {
    written,
    async open() {
      try {
        return {
          sandbox: await createSandbox(written.config, sandboxOptions(line)),
          notes: [],
          runAll: (run) => run(undefined),
          close: async () => undefined,
        };
      } catch (error) {
        throw withOrigin(error, written.origins);
      }
    },
  };
}

/** Whether a root is a file, or a directory that is an OCI layout. */
function isImage(root: string): boolean {
  const options = { throwIfNoEntry: false } as const;
  try {
    const stats = statSync(root, options);
    if (stats?.isDirectory() !== true) return stats !== undefined;
    return statSync(join(root, "oci-layout"), options)?.isFile() === true;
  } catch {
    return false; // It cannot be reached, and core reports why.
  }
}

/** The options that apply to images only. */
const ONLY_IMAGES: readonly OptionName[] = [
  "volume",
  "digest",
  "platform",
  "tag",
  "images",
  "max-size",
];

/** Refuses an option that would be ignored. */
function assertNoImageOptions(line: CommandLine): void {
  const name = ONLY_IMAGES.find((option) => line.options.has(option));
  if (name !== undefined) throw new CliError(`--${name}: ROOT is no image`);
}
