import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import type { Host } from "../backend/backend.js";
import { isMainThread } from "./lazily.js";
import { killChild } from "./processes.js";

/** A pipe: its end to read from, and its end to write to. */
export type Pipe = readonly [read: number, write: number];

/**
 * Makes a pipe. Node itself makes pairs of sockets only, which no program can open by the name of /dev/stdin or
 * /dev/stdout, whose writer gets ECONNRESET in place of SIGPIPE, and which bash takes for a remote login. Undefined where
 * none can be had, and in a worker thread, at whose end Node closes by number what was opened in it.
 */
export function takePipe(host: Host): Pipe | undefined {
  if (!isMainThread() || process.platform !== "linux") return undefined;
  if (spare.length === 0) spare.push(...newPipes(host));
  const pipe = spare.pop();
  // The next ones are made while the program starts.
  if (spare.length === 0) maker?.ask();
  return pipe;
}

/** Pipes that were made ahead. Each is used once, so that no program reads what another one has left in it. */
const spare: Pipe[] = [];
let maker: Maker | undefined;
/** The shell of this host keeps here-documents in files. */
let isUnable = false;

/** Asks once more where somebody has killed the shell meanwhile. */
function newPipes(host: Host): Pipe[] {
  const sh = host.which("sh");
  if (sh === undefined || isUnable) return [];
  for (let attempts = 0; attempts < 2; attempts += 1) {
    maker ??= new Maker(sh);
    const pipes = maker.take();
    isUnable = pipes?.length === 0;
    if (pipes !== undefined && !isUnable) return pipes;
    maker.end();
    maker = undefined;
    if (isUnable) return [];
  }
  return [];
}

/** A shell makes a pipe for each here-document. It can name only fds of one digit. */
const FDS = [3, 4, 5, 6, 7, 8, 9] as const;
const LAST = 9;

/** Makes pipes at one line, and lets go of them at the next: a pipe that it held would still have a reader. */
const SCRIPT = `while read -r line; do
exec ${FDS.map((fd) => `${fd}<<E`).join(" ")}
${"E\n".repeat(FDS.length)}read -r line
exec ${FDS.map((fd) => `${fd}<&-`).join(" ")}
done`;

/** A shell beside this process that makes pipes for all runs. It ends with this process. */
class Maker {
  readonly #child: ChildProcess;
  /** The inode of the last pipe that was taken, by which new ones are told from it. */
  #lastInode: number | undefined;
  #isAsked = false;

  constructor(sh: string) {
    this.#child = spawn(sh, ["-c", SCRIPT], {
      env: {},
      cwd: "/",
      // A session of its own: what ends this process, such as Ctrl-C, must not end it before.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#child.on("error", () => undefined).unref();
    const stdin = this.#child.stdin as (ChildProcess["stdin"] & { unref(): void }) | null;
    stdin?.on("error", () => undefined).unref();
  }

  /** Has it make the next pipes. */
  ask(): void {
    if (!this.#isAsked) this.#child.stdin?.write("\n");
    this.#isAsked = true;
  }

  /** Opens both ends of each by its name in /proc, while the shell holds it. Undefined when it does not answer. */
  take(): Pipe[] | undefined {
    const { pid } = this.#child;
    if (pid === undefined) return undefined;
    this.ask();
    const inode = this.#awaited(pid);
    if (inode === undefined) return undefined;
    this.#lastInode = inode;
    const pipes = FDS.flatMap((fd) => bothEnds(`/proc/${pid}/fd/${fd}`) ?? []);
    this.#child.stdin?.write("\n");
    this.#isAsked = false;
    return pipes;
  }

  end(): void {
    killChild(this.#child);
  }

  /** Waits a second at most for the last of the pipes, which it has never taken. Returns its inode. */
  #awaited(pid: number): number | undefined {
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (let waits = 0; waits < 5000; waits += 1) {
      const fd = attempt(`/proc/${pid}/fd/${LAST}`, constants.O_RDONLY | constants.O_NONBLOCK);
      if (fd !== undefined) {
        const { ino } = fstatSync(fd);
        closeSync(fd);
        if (ino !== this.#lastInode) return ino;
      }
      // Somebody may have killed it, of which Node tells later.
      if (lstatSync(`/proc/${pid}/fd/0`, { throwIfNoEntry: false }) === undefined) return undefined;
      Atomics.wait(clock, 0, 0, 0.2);
    }
    return undefined;
  }
}

/** Undefined for a file, which some shells use for a here-document instead. */
function bothEnds(path: string): Pipe[] | undefined {
  const read = attempt(path, constants.O_RDONLY);
  if (read === undefined) return undefined;
  const write = fstatSync(read).isFIFO() ? attempt(path, constants.O_WRONLY) : undefined;
  if (write !== undefined) return [[read, write]];
  closeSync(read);
  return undefined;
}

function attempt(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags);
  } catch {
    return undefined;
  }
}
