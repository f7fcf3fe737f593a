import { readdirSync, readFileSync } from "node:fs";
import { execaSync } from "execa";

let counter = 0;

/** A word that no other process of this host has in its arguments. */
export function newMarker(): string {
  counter += 1;
  return `sandboxlib-kit-${process.pid}-${Date.now()}-${counter}`;
}

/** Whether a name is the marker of a case of another process. */
export function isMarkerOfAnother(name: string): boolean {
  const [, pid] = /^sandboxlib-kit-(\d+)-\d+-\d+$/.exec(name) ?? [];
  return pid !== undefined && Number(pid) !== process.pid;
}

/** The live processes of this host with the marker in their arguments, whichever namespace they are in. */
function processesWith(marker: string): string[] {
  return commandLines().filter((line) => line.includes(marker));
}

/** The processes that still have the marker after a while in which the kernel may finish what it has begun. */
export async function lasting(marker: string, milliseconds = 10_000): Promise<string[]> {
  const deadline = performance.now() + milliseconds;
  let found = processesWith(marker);
  while (found.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    found = processesWith(marker);
  }
  return found;
}

/** The pids of the live processes with the marker in their arguments. */
export function pidsWith(marker: string): number[] {
  return processesWith(marker).map((line) => Number.parseInt(line, 10));
}

/** Whether a shell with the marker has begun: what starts it has another name. */
export function hasBegun(marker: string): boolean {
  return programWith(marker) !== undefined;
}

/** The shell with the marker, once it has begun. */
export function programWith(marker: string): number | undefined {
  const line = processesWith(marker).find((each) => /^\s*\d+ sh /.test(each));
  return line === undefined ? undefined : Number.parseInt(line, 10);
}

/** The environment of a process, as it began; empty where this user may not look. */
export function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** How many processes have the marker, once there are so many or after a while in which they may start and settle. */
export async function rising(marker: string, count: number): Promise<number> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    // Read once: a later look may catch a process between its fork and its exec, which has the marker too.
    const found = pidsWith(marker).length;
    if (found === count || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Ends what a faulty backend has left. */
export function endProcessesWith(marker: string): void {
  for (const pid of pidsWith(marker)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

/** Of each process its pid and its arguments. A zombie has none. */
function commandLines(): string[] {
  const pids = numbers("/proc");
  if (pids.length === 0)
    return execaSync("ps", ["-A", "-o", "pid=,args="], { stripFinalNewline: false }).stdout.split(
      "\n",
    );
  return pids.flatMap((pid) => {
    try {
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")}`];
    } catch {
      return []; // It ended between the two looks.
    }
  });
}

function numbers(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
