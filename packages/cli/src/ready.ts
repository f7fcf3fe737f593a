import { statSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox, SandboxResult } from "@sandboxlib/core";
import type { CommandLine } from "./command-line.js";
import { configFromOptions, type WrittenConfig } from "./config-from-options.js";
import { assertNoImageOptions } from "./image-options.js";
import type { Io } from "./io.js";
import { sandboxFrom } from "./sandbox-from-line.js";

/** A sandbox that can run what a command line asks for. */
export interface Ready {
  readonly sandbox: Sandbox;
  /** What users should know of the image. */
  readonly notes: readonly string[];
  /** Runs the program, given how to run a command, with what an image runs before and after it. */
  readonly around: (runOne: RunOne) => Promise<SandboxResult>;
  readonly close: () => Promise<void>;
}

/** Runs a command in the sandbox; without one, the program. */
export type RunOne = (argv: readonly string[] | undefined) => Promise<SandboxResult>;

/** What a command line asks for, be its root a directory or an image. */
export interface Asked {
  readonly written: WrittenConfig;
  open(): Promise<Ready>;
}

/** Reads a command line. An image is unpacked if it is not yet in the cache. */
export async function askedBy(line: CommandLine, io: Io): Promise<Asked> {
  const written = configFromOptions(line);
  const { root } = written.config;
  if (root !== undefined && isImage(root)) {
    const { askedOfImage } = await import("./ready-image.js");
    return askedOfImage(line, root, io);
  }
  assertNoImageOptions(line);
  return {
    written,
    open: async () => ({
      sandbox: await sandboxFrom(line, written),
      notes: [],
      around: (runOne) => runOne(undefined),
      close: async () => undefined,
    }),
  };
}

/** A file is no root; and a directory with that mark is made to be read by tools. */
function isImage(root: string): boolean {
  const options = { throwIfNoEntry: false } as const;
  try {
    if (statSync(root, options)?.isDirectory() !== true)
      return statSync(root, options) !== undefined;
    return statSync(join(root, "oci-layout"), options)?.isFile() === true;
  } catch {
    return false; // Core says what is wrong with it.
  }
}
