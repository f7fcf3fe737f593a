import type { LauncherPlan } from "../../backend/plan.js";
import { ForkServer } from "./fork-server.js";

/**
 * The fork server of a launcher: a process that starts others by forking itself, as to fork Node, which is big, takes
 * longer than the rest of a launch. There is one for each launcher. It ends with this process, or when that has
 * other ids and starts something, and runs have from it what a process has from its parent.
 *
 * @throws SandboxError `LAUNCH_FAILED` when it cannot be started.
 */
export function forkServer(plan: LauncherPlan): ForkServer {
  const ids = JSON.stringify([process.geteuid?.(), process.getegid?.(), process.getgroups?.()]);
  if (ids !== idsOfServers) retireAll();
  idsOfServers = ids;
  const key = JSON.stringify([plan.argv, plan.env]);
  const known = servers.get(key);
  if (known?.isOpen() === true) return known;
  const server = new ForkServer(plan);
  servers.set(key, server);
  return server;
}

const servers = new Map<string, ForkServer>();
let idsOfServers: string | undefined;

/** A server goes on with the ids that this process has given up, and does what it is told over an open socket. */
function retireAll(): void {
  for (const server of servers.values()) server.retire();
  servers.clear();
}
