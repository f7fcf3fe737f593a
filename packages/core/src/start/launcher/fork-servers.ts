import type { LauncherPlan } from "../../backend/plan.js";
import { ForkServer } from "./fork-server.js";

/**
 * The fork server of a launcher: a small process that starts launchers by forking itself. To fork Node, which is big, takes
 * longer than the rest of a launch. There is one server for each launcher program. It ends with this process, or at the
 * next start after this process has changed its ids. Runs inherit from it what a process inherits from its parent.
 *
 * @throws SandboxError `LAUNCH_FAILED` when it cannot be started.
 */
export function forkServer(plan: Pick<LauncherPlan, "argv" | "env">): ForkServer {
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

/** Ends all servers: they still have the ids that this process has given up. */
function retireAll(): void {
  for (const server of servers.values()) server.retire();
  servers.clear();
}
