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
