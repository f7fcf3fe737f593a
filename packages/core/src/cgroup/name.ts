import { fateOf, ownedName } from "../host/owner.js";

const PREFIX = "sandboxlib-";

/** A new name for a cgroup, which says whose it is: `gc` needs no journal for it. */
export function cgroupName(): string {
  return `${PREFIX}${ownedName()}`;
}

/** Whether a directory is a cgroup of a process that is gone. */
export function isStale(name: string): boolean {
  return name.startsWith(PREFIX) && fateOf(name.slice(PREFIX.length)) === "gone";
}
