import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Streams } from "../../backend/running.js";
import { SandboxError } from "../../result/error.js";
import type { Pipes } from "./message.js";

/**
 * Opens our ends of the pipes that the launcher has made for a command. Node cannot make pipes itself, but a process can
 * open what its child holds open by the name of it in proc(5).
 *
 * @throws SandboxError `LAUNCH_FAILED`; what was opened before is closed again.
 */
export function openStreams(launcher: number | undefined, fds: Pipes["fds"]): Streams {
  const opened: Socket[] = [];
  const open = (fd: number, flags: number): Socket | null => {
    if (fd < 0) return null;
    const stream = socketOn(openSync(`/proc/${launcher}/fd/${fd}`, flags), flags);
    opened.push(stream);
    return stream;
  };
  const [stdin, stdout, stderr] = fds;
  try {
    return {
      stdin: open(stdin, constants.O_WRONLY),
      stdout: open(stdout, constants.O_RDONLY),
      stderr: open(stderr, constants.O_RDONLY),
    };
  } catch (cause) {
    for (const stream of opened) stream.destroy();
    const message = `the pipes of a command cannot be opened: ${String(cause)}`;
    const hint = "This process may have too many files open.";
    throw new SandboxError("LAUNCH_FAILED", message, { hint, cause });
  }
}

/** For a command that has no pipe to this process. */
export const NO_STREAMS: Streams = { stdin: null, stdout: null, stderr: null };

function socketOn(fd: number, flags: number): Socket {
  const writable = flags === constants.O_WRONLY;
  try {
    return new Socket({ fd, readable: !writable, writable });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
