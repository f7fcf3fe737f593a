import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { createSandbox, SandboxError } from "@sandboxlib/core";
import { UNTRIED } from "@sandboxlib/core/internal";
import type { CommandLine } from "./command-line.js";
import { configFileOf, configFromOptions, withUserIds } from "./config-from-options.js";
import { CliError } from "./errors.js";
import type { OptionName } from "./options.js";
import { type Origins, withOrigin } from "./origins.js";
import type { Io } from "./output.js";
import { assertNoRegistryName } from "./registry-name.js";
import { type SandboxRequest, sandboxOptions } from "./sandbox-request.js";

/** Why a command takes no image as its root, and what to do. */
export interface NoImage {
  /** What follows "ROOT is an image". */
  readonly reason: string;
  readonly hint: string;
}

/**
 * Reads which sandbox a command line asks for. An image is unpacked if it is not yet in the cache.
 *
 * @param noImage - Why its root may not be one; absent where it may.
 * @throws CliError for an option that cannot be read; SandboxError for a config file or an image that cannot.
 */
export async function sandboxFromLine(
  line: CommandLine,
  io: Io,
  noImage?: NoImage,
): Promise<SandboxRequest> {
  assertNoRegistryName(line.root ?? line.options.get("root")?.at(-1));
  const file = await configFileOf(line);
  const unnamed = configFromOptions(line, file);
  const { root, command } = unnamed.config;
  if (root !== undefined && isImage(root)) {
    if (noImage !== undefined)
      throw new CliError(`ROOT: ${JSON.stringify(root)} is an image${noImage.reason}`, {
        hint: noImage.hint,
      });
    const { sandboxFromImage } = await import("./sandbox-from-image.js");
    return sandboxFromImage(line, file, root, io);
  }
  assertNoImageOptions(line);
  // An image that is not there has no command either, but that is not what is wrong.
  if (command === undefined && root !== undefined) assertExists(root, unnamed.origins);
  const written = await withUserIds(line, unnamed, root ?? "/");
  return {
    written,
    async open(isUntried = false) {
      try {
        return {
          sandbox: await createSandbox(written.config, {
            ...sandboxOptions(line),
            ...(isUntried && { [UNTRIED]: true }),
          }),
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

function assertExists(root: string, origins: Origins): void {
  if (existsSync(root)) return;
  const text = `root: ${JSON.stringify(root)} does not exist, or cannot be reached`;
  throw withOrigin(new SandboxError("PATH_INVALID", text, { path: "root" }), origins);
}

/** Whether a root is a file, or a directory that is an OCI layout. */
function isImage(root: string): boolean {
  const options = { throwIfNoEntry: false } as const;
  try {
    const stats = statSync(root, options);
    if (stats?.isFile() === true && stats.size === 0) throw emptyFile(root);
    if (stats?.isDirectory() !== true) return stats !== undefined;
    return statSync(join(root, "oci-layout"), options)?.isFile() === true;
  } catch (error) {
    if (error instanceof SandboxError) throw error;
    return false; // It cannot be reached, and core reports why.
  }
}

function emptyFile(root: string): SandboxError {
  const text = `${JSON.stringify(root)} is an empty file, and neither a directory nor an image`;
  return new SandboxError("IMAGE_INVALID", text, { path: "root" });
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
