import { readFileSync } from "node:fs";

/** CAP_CHOWN and CAP_SETGID, by their numbers in capabilities(7). */
const NEEDED = (1n << 0n) | (1n << 6n);

/** Whether this process has the capabilities of root: in a sandbox or a container, uid 0 may be without them. */
export function hasPowersOfRoot(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    const [, effective] =
      /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return effective === undefined || (BigInt(`0x${effective}`) & NEEDED) === NEEDED;
  } catch {
    return true; // A kernel without capabilities.
  }
}
