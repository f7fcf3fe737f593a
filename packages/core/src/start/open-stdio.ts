import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type { Host } from "../backend/backend.js";
import type { StdioTargets } from "../backend/running.js";
import { takePipe } from "../host/pipe.js";
import { SandboxError } from "../result/error.js";

/** What `spawn` is to be given for fds 0 to 2, and what this process then has of them. */
export interface Stdio {
  readonly slots: readonly [Slot, Slot, Slot];
  /** Standard error follows standard output into what Node makes in place of a pipe, which only a shell can set up. */
  readonly merge: boolean;
  /** Our ends of the pipes that the slots are ends of, once the program has been started. */
  take(): Taken;
  /** Closes the program's ends, which it has once it has been spawned, and those of ours that were not taken. */
  close(): void;
}

type Slot = "pipe" | "ignore" | number;

interface Taken {
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
}

/**
 * Makes what the streams need.
 *
 * @throws SandboxError `LAUNCH_FAILED`; what was opened before is closed again.
 */
export function openStdio({ stdin, stdout, stderr }: StdioTargets, host: Host): Stdio {
  const theirs: number[] = [];
  const ours: (number | undefined)[] = [];
  const slot = (wire: StdioTargets["stdout"], fd: 0 | 1 | 2): Slot => {
    if (wire === "discard") return "ignore";
    if (typeof wire === "number") return wire;
    const pipe = takePipe(host);
    if (pipe === undefined) return "pipe";
    const [read, write] = pipe;
    const end = fd === 0 ? read : write;
    theirs.push(end);
    ours[fd] = fd === 0 ? write : read;
    return end;
  };
  const close = (): void => {
    for (const fd of [...theirs.splice(0), ...ours.splice(0)]) if (fd !== undefined) closeSync(fd);
  };
  try {
    const input = slot(stdin, 0);
    const output = slot(stdout, 1);
    const merge = stderr === "stdout" && output === "pipe";
    const error = stderr === "stdout" ? (merge ? "ignore" : output) : slot(stderr, 2);
    const take = (): Taken => {
      const [toStdin, fromStdout, fromStderr] = ours.splice(0);
      return {
        ...(toStdin !== undefined && { stdin: socketOn(toStdin, "writable") }),
        ...(fromStdout !== undefined && { stdout: socketOn(fromStdout, "readable") }),
        ...(fromStderr !== undefined && { stderr: socketOn(fromStderr, "readable") }),
      };
    };
    return { slots: [input, output, error], merge, take, close };
  } catch (cause) {
    close();
    throw cause;
  }
}

function socketOn(fd: number, way: "readable" | "writable"): Socket {
  return new Socket({ fd, readable: way === "readable", writable: way === "writable" });
}

/**
 * For what hands on the standard streams alone.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function refusePassFds({ passFds = [] }: StdioTargets, who: string): void {
  if (passFds.length === 0) return;
  throw new SandboxError("CONFIG_INVALID", `passFds: ${who} hands on no fd above 2`, {
    path: "passFds",
    hint: "Use another backend.",
  });
}
