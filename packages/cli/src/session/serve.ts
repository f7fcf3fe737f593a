import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { type Config, isSandboxError, type SandboxChild, type Session } from "@sandboxlib/core";
import { describeError, exitCodeOfThrown } from "../errors.js";
import { type Frame, FrameReader, frame } from "./frame.js";

/** A command as the command line asks for it. What is absent is as in the session. */
export interface Asked {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  readonly wallTime?: number | undefined;
}

/**
 * Runs one command for one connection. When the connection ends, so does the command.
 *
 * @param stop - Ends the session.
 */
export function serve(socket: Socket, session: Session, config: Config, stop: () => void): void {
  const reader = new FrameReader();
  const gone = new AbortController();
  let child: SandboxChild | undefined;
  const take = ({ kind, data }: Frame): void => {
    if (kind === "command") {
      const asked = JSON.parse(data.toString()) as Asked;
      void run(asked).catch(async (error: unknown) => {
        fail(socket, error);
        if (!(await isAlive(session, error))) stop();
      });
    } else if (kind === "stop") stop();
    else if (kind === "signal") child?.kill(data.toString() as NodeJS.Signals);
    else if (kind === "stdin-end") child?.stdin?.end();
    else if (kind === "stdin") child?.stdin?.write(data, () => more(socket));
  };
  const run = async (asked: Asked): Promise<void> => {
    const { stdout, stderr, result, stdin, ...rest } = await session.spawn(
      asked.argv,
      optionsOf(asked, config, gone.signal),
    );
    child = { stdout, stderr, result, stdin, ...rest };
    // The program need not read what it is given.
    stdin?.on("error", () => undefined);
    more(socket);
    const outputs = [relay(stdout, socket, "stdout"), relay(stderr, socket, "stderr")];
    const ended = await result;
    await Promise.all(outputs);
    socket.end(frame("result", JSON.stringify(ended)));
  };
  socket.on("data", (chunk) => {
    try {
      for (const one of reader.push(chunk)) take(one);
    } catch {
      socket.destroy();
    }
  });
  socket.on("error", () => undefined);
  socket.write(frame("ready"));
  socket.on("close", () => {
    gone.abort();
    // Nobody will read what is left, and a pipe that is not read is never closed.
    for (const output of [child?.stdout, child?.stderr]) output?.destroy();
  });
}

/** Whether commands can still be run. A command that the kernel does not take says nothing of the session. */
async function isAlive(session: Session, error: unknown): Promise<boolean> {
  if (!isSandboxError(error) || error.code !== "LAUNCH_FAILED") return true;
  return session.run(["true"]).then(
    () => true,
    (second: unknown) => isSandboxError(second) && second.code !== "LAUNCH_FAILED",
  );
}

function more(socket: Socket): void {
  if (socket.writable) socket.write(frame("more"));
}

function fail(socket: Socket, error: unknown): void {
  const { message, hint } = describeError(error);
  const told = { message, hint, exitCode: exitCodeOfThrown(error) };
  if (socket.writable) socket.end(frame("error", JSON.stringify(told)));
}

function optionsOf(
  { env, cwd, wallTime }: Asked,
  config: Config,
  signal: AbortSignal,
): Parameters<Session["spawn"]>[1] {
  const hasEnv = Object.keys(env).length > 0;
  return {
    stdin: "pipe",
    signal,
    ...(hasEnv && { env: { ...config.env, ...env } }),
    ...(cwd !== undefined && { cwd }),
    ...(wallTime !== undefined && { limits: { wallTime } }),
  };
}

/** Hands an output on, no faster than it is read. */
async function relay(
  output: Readable | null,
  socket: Socket,
  kind: "stdout" | "stderr",
): Promise<void> {
  if (output === null) return;
  output.on("data", (chunk: Buffer) => {
    if (!socket.writable || socket.write(frame(kind, chunk))) return;
    output.pause();
    socket.once("drain", () => output.resume());
  });
  await finished(output, { writable: false }).catch(() => undefined);
}
