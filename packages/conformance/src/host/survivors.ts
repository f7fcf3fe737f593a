import { readdirSync, readFileSync } from "node:fs";
import { realHost } from "@sandboxlib/core/backend";
import { execaSync } from "execa";
import { descendants } from "./family.js";

/**
 * A process that was started below this one, and is nobody's that we know: its parents have ended. It is found by a limit
 * that this process takes on, which whatever it starts inherits, through every namespace and session: the bytes that
 * message queues may have, by an odd number.
 */
export interface Survivor {
  readonly pid: number;
  readonly command: string;
}

let mark: string | undefined;

/** Marks this process, and so all that it will start; false where prlimit(1) is missing. */
export function markDescendants(): boolean {
  if (mark !== undefined) return mark !== "";
  mark = "";
  const [, , soft, hard] = limitOf("self") ?? [];
  if (soft === undefined || hard === undefined) return false;
  const most = Math.min(
    ...[soft, hard].map((each) => (each === "unlimited" ? 819_200 : Number(each))),
  );
  const odd = most - 1 - (process.pid % Math.max(1, Math.floor(most / 2)));
  const prlimit = realHost().which("prlimit");
  // Some may have been started already, such as the library's own helpers.
  const pids = [process.pid, ...descendants(process.pid).map(({ pid }) => pid)];
  for (const pid of prlimit === undefined ? [] : pids)
    execaSync(prlimit ?? "", ["--pid", String(pid), `--msgqueue=${odd}:`], {
      extendEnv: false,
      reject: false,
    });
  if (limitOf("self")?.[2] === String(odd)) mark = String(odd);
  return mark !== "";
}

/** Everything marked that is no descendant of this process any more. */
function survivors(): Survivor[] {
  if (mark === undefined || mark === "") return [];
  const own = new Set([process.pid, ...descendants(process.pid).map(({ pid }) => pid)]);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && !own.has(Number(name)) && limitOf(name)?.[2] === mark)
    .flatMap((name) => {
      const command = commandOf(name);
      return command === "" ? [] : [{ pid: Number(name), command }];
    });
}

/** Those that are still there after a while, in which the kernel may finish what it has begun. */
export async function lastingSurvivors(milliseconds: number): Promise<Survivor[]> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const found = survivors();
    if (found.length === 0 || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ends what a faulty backend has left. */
export function endSurvivors(): void {
  for (const { pid } of survivors()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended, or is another user's.
    }
  }
}

function limitOf(pid: string): RegExpExecArray | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/limits`, "utf8");
    return /^(Max msgqueue size)\s+(\S+)\s+(\S+)/m.exec(text) ?? undefined;
  } catch {
    return undefined; // It has ended.
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
