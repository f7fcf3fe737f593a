import type { Attack } from "../attack.js";
import { covered } from "./covered.js";
import { files } from "./files.js";
import { ipc } from "./ipc.js";
import { limits } from "./limits.js";
import { devices, namespaces } from "./namespaces.js";
import { network } from "./network.js";
import { inherited, processes } from "./processes.js";
import { root } from "./root.js";
import { systemCalls } from "./system-calls.js";
import { terminal } from "./terminal.js";
import { user } from "./user.js";

/** Every attack, in the order of the table. */
export const attacks: readonly Attack[] = [
  ...files,
  ...covered,
  ...root,
  ...processes,
  ...inherited,
  ...terminal,
  ...namespaces,
  ...devices,
  ...user,
  ...ipc,
  ...network,
  ...systemCalls,
  ...limits,
];
