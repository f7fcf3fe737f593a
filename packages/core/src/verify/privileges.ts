import { readFileSync } from "node:fs";

/**
 * What a process can do beyond its user, or could come to: the first line of proc_pid_status(5) that says so. Null where
 * it can do nothing, undefined where it is gone. Everybody may read it.
 */
export function privilegesOf(pid: number): string | null | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const found = /^(?:Cap\w+:\s*0*[1-9a-f][0-9a-f]*|NoNewPrivs:\s*0)$/m.exec(status);
    return found === null ? null : found[0].replace(/\s+/, " ");
  } catch {
    return undefined;
  }
}
