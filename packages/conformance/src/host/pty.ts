import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { caller, DATA, noCaller } from "../root/caller.js";

const { O_NOCTTY, O_NONBLOCK, O_RDWR } = constants;
const TIOCSPTLCK = 0x4004_5431;
const END = "end of the test";

/** A pseudo-terminal that is nobody's controlling one. */
export interface Pty {
  /** The end that a program gets. */
  readonly fd: number;
  /** What it has shown so far; what was typed is shown as well. */
  readonly shown: () => Promise<string>;
}

/** Why there can be none; undefined where there can. */
export function noPty(): string | undefined {
  try {
    closeSync(openMaster().master);
    return noCaller();
  } catch {
    return "this host has no pseudo-terminals that the kit can open";
  }
}

/**
 * Opens one for a while.
 *
 * @param directory - Where a program may lie that unlocks it, for which Node has no call.
 */
export async function withPty(directory: string, run: (pty: Pty) => Promise<void>): Promise<void> {
  const { master, path } = openMaster();
  const opened = [master];
  const open = (): number => {
    const fd = openSync(path, O_RDWR | O_NOCTTY);
    opened.push(fd);
    return fd;
  };
  try {
    unlock(master, join(directory, "unlock"));
    const fd = open();
    await run({
      fd,
      async shown() {
        // Opened once more, since the end of a session whose terminal it was has hung it up.
        writeSync(open(), END);
        let text = "";
        for (; !text.endsWith(END); await setTimeout(1)) text += readNow(master);
        return text.slice(0, -END.length);
      },
    });
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function openMaster(): { master: number; path: string } {
  const master = openSync("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
  const info = readFileSync(`/proc/self/fdinfo/${master}`, "latin1");
  const [, index] = /^tty-index:\s*(\d+)$/m.exec(info) ?? [];
  if (index !== undefined) return { master, path: `/dev/pts/${index}` };
  closeSync(master);
  throw new Error("this kernel does not tell the number of a pseudo-terminal");
}

function unlock(master: number, program: string): void {
  const calls = [{ name: "ioctl", args: [0, TIOCSPTLCK, DATA] }] as const;
  writeFileSync(program, caller(calls), { mode: 0o755 });
  const { status } = spawnSync(program, { stdio: [master, "ignore", "ignore"] });
  rmSync(program);
  if (status !== 0) throw new Error(`a pseudo-terminal cannot be unlocked: errno ${status}`);
}

function readNow(fd: number): string {
  const bytes = Buffer.alloc(4096);
  try {
    return bytes.toString("latin1", 0, readSync(fd, bytes));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return "";
    throw error;
  }
}
