import { readdirSync, readFileSync } from "node:fs";

/** A word that no other process of this host has in its arguments. */
export function newMarker(what: string): string {
  return `sandboxlib-${what}-${process.pid}-${Date.now()}`;
}

/** The processes of this host that have a word among their arguments. */
export function pidsWith(marker: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const isOne =
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(marker);
      return isOne ? [Number(pid)] : [];
    } catch {
      return []; // It ended between the two looks.
    }
  });
}

/** The parent of a process, as the host sees it. */
export function parentOf(pid: number): number {
  const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(parent);
}

/** How many threads a user has, which is what its limit of processes counts. */
export function threadsOf(uid: number | undefined): number {
  return readdirSync("/proc").reduce((sum, pid) => {
    try {
      const status = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/status`, "latin1") : "";
      const isTheirs = new RegExp(`^Uid:\\s+${uid}\\s`, "m").test(status);
      return sum + (isTheirs ? Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1]) : 0);
    } catch {
      return sum; // It ended between the two looks.
    }
  }, 0);
}
