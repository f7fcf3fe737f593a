import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { directory, program } from "./example.js";

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
  const started: ChildProcess[] = [];
  return {
    async start(name) {
      const path = join(directory, name);
      const server = spawn(process.execPath, [program, path], {
        stdio: ["ignore", "pipe", "inherit"],
      });
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
