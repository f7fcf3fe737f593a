import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Engines of one test file, and their directory. */
export interface Servers {
  /** Starts one; resolves with its socket when it listens. */
  readonly start: (
    name: string,
  ) => Promise<{ readonly path: string; readonly server: ChildProcess }>;
  readonly stop: () => void;
}

/** Makes a place for engines. */
export function servers(): Servers {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-engine-"));
  const started: ChildProcess[] = [];
  return {
    async start(name) {
      const path = join(directory, name);
      const argv = [join(import.meta.dirname, "server.mjs"), path, directory];
      const server = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
      started.push(server);
      await once(server.stdout, "data");
      return { path, server };
    },
    stop() {
      for (const server of started) server.kill("SIGKILL");
      rmSync(directory, { recursive: true });
    },
  };
}
