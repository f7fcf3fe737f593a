import { mkdirSync } from "node:fs";
import { join } from "node:path";
import bubblewrap from "@sandboxlib/backend-bubblewrap";
import { createSandbox, isSandboxError, type Sandbox, type SandboxResult } from "@sandboxlib/core";
import type { Backend } from "@sandboxlib/core/backend";
import { type Lie, says } from "./lies.js";

/** A library that takes every refusal back. */
export function obliging({ backend, base = bubblewrap }: Lie = says({})): Lie {
  const content = { outcome: "exited", exitCode: 0 } as SandboxResult;
  const orContent = async (run: Promise<SandboxResult>): Promise<SandboxResult> => {
    try {
      return await run;
    } catch (error) {
      if (isSandboxError(error)) return content;
      throw error;
    }
  };
  const library: typeof createSandbox = async (config, given) => {
    const fallback = { run: async () => content } as unknown as Sandbox;
    try {
      const sandbox = await createSandbox(config, given);
      return { ...sandbox, run: (argv, how) => orContent(sandbox.run(argv, how)) };
    } catch (error) {
      if (isSandboxError(error)) return fallback;
      throw error;
    }
  };
  return { backend, base, library: { createSandbox: library } };
}

/** A library that makes the mount points which are missing. */
export function makesMountPoints(backend: Backend = bubblewrap): Lie {
  const library: typeof createSandbox = (config, given) => {
    for (const { target } of config.mounts ?? []) {
      try {
        mkdirSync(join(config.root ?? "/", target), { recursive: true });
      } catch {
        // A loop of symlinks: then there is none to make.
      }
    }
    return createSandbox(config, given);
  };
  return { backend, base: backend, library: { createSandbox: library } };
}

/** A library that does not listen to an AbortSignal. */
export function deaf({ backend }: Lie): Lie {
  const library: typeof createSandbox = async (config, given) => {
    const sandbox = await createSandbox(config, given);
    return { ...sandbox, run: (argv, how) => sandbox.run(argv, { ...how, signal: undefined }) };
  };
  return { backend, library: { createSandbox: library } };
}
