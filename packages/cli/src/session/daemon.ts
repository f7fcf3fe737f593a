import { createServer, type Server } from "node:net";
import type { Session } from "@sandboxlib/core";
import type { CommandLine } from "../command-line.js";
import { describeError, exitCodeOfThrown } from "../errors.js";
import type { Io } from "../output.js";
import { droppedLines, noteLines } from "../report-run.js";
import { sandboxFromLine } from "../sandbox-from-line.js";
import type { OpenSandbox } from "../sandbox-request.js";
import { removePlace, sessionDirectory } from "./place.js";
import { serve } from "./serve.js";

/** What the daemon tells the process that has started it. */
export type Told =
  | { readonly notes: string }
  | { readonly message: string; readonly hint?: string | undefined; readonly exitCode: number };

/** Holds a session until it is stopped or this process ends, and serves its commands on a socket that only its user sees. */
export async function keepSession(line: CommandLine, io: Io, path: string): Promise<number> {
  let isTold = false;
  // Who has started this process has given up.
  process.once("disconnect", () => isTold || process.exit(1));
  try {
    const request = await sandboxFromLine(line, io);
    const opened = await request.open();
    const session = await opened.sandbox.openSession();
    const ended = listen(session, opened, path);
    await ended.listening;
    isTold = true;
    tell({ notes: noteLines(opened.notes) + droppedLines(opened.sandbox) });
    // The directory in which it was started may be removed.
    process.chdir("/");
    await ended.closed;
    return 0;
  } catch (error) {
    isTold = true;
    const { message, hint } = describeError(error);
    tell({ message, hint, exitCode: exitCodeOfThrown(error) });
    return 1;
  }
}

function tell(told: Told): void {
  process.send?.(told, () => process.disconnect());
}

function listen(
  session: Session,
  opened: OpenSandbox,
  path: string,
): { readonly listening: Promise<void>; readonly closed: Promise<void> } {
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  const server = createServer((socket) => serve(socket, session, opened.sandbox.config, stop));
  const listening = bound(server, path);
  const closed = stopped.then(async () => {
    removePlace(path);
    server.close();
    try {
      await session.close();
    } finally {
      await opened.close();
    }
    // What is still connected hears that the session has ended.
    setImmediate(() => process.exit());
  });
  return { listening, closed };
}

/** The socket is made with the mode of the umask, so that nobody else can connect even before a chmod. */
async function bound(server: Server, path: string): Promise<void> {
  // The last session but this one may just have been stopped, and have taken the directory with it.
  sessionDirectory();
  const before = process.umask(0o077);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
}
