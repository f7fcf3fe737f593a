import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
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

/** The parent of a process, as the host sees it; NaN for one that has ended. */
export function parentOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
  } catch {
    return Number.NaN;
  }
}

/** Waits until a process has written something; fails when its output ends first. */
export async function spoken({ stdout }: Pick<ChildProcess, "stdout">): Promise<void> {
  const ended = new AbortController();
  stdout?.once("close", () => ended.abort(new Error("it ended without a word")));
  if (stdout !== null) await once(stdout, "data", { signal: ended.signal });
}
