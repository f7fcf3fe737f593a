import type { ChildProcess } from "node:child_process";
import type { Stream } from "node:stream";
import type { LauncherPlan } from "../backend/plan.js";
import type { StdioTargets } from "../backend/stdio.js";
import { SandboxError } from "../result/error.js";
import { spawnTool } from "../start/spawn-tool.js";

/** Hands the fds that a command is to have on to the sandbox, under the id of the command. */
export type Courier = (id: number, targets: StdioTargets) => Promise<void>;

/**
 * Node cannot send an fd over a socket, but it can start a process with it: the launcher, as a courier, sends on what it
 * was started with. One after the other, so that they arrive in the order of the commands.
 */
export function courier(launcher: LauncherPlan["argv"], socket: Stream): Courier {
  let before: Promise<void> = Promise.resolve();
  return (id, targets) => {
    before = before.catch(() => undefined).then(() => send(launcher, socket, id, targets));
    return before;
  };
}

async function send(
  launcher: LauncherPlan["argv"],
  socket: Stream,
  id: number,
  targets: StdioTargets,
): Promise<void> {
  // Nothing else needs a courier.
  const slots = [targets.stdin, targets.stdout, targets.stderr].map((wire) =>
    typeof wire === "number" ? wire : "ignore",
  );
  const child = spawnTool([...launcher, "courier", String(id)], {
    env: {},
    stdio: [...slots, socket],
  });
  const status = await exitOf(child);
  if (status === 0) return;
  throw new SandboxError("LAUNCH_FAILED", `the standard streams cannot be handed on: ${status}`);
}

function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(code ?? String(signal)));
  });
}
