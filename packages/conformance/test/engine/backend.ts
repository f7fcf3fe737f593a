import { connect, type Socket } from "node:net";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { type ErrorCode, SandboxError, signalNumber } from "@sandboxlib/core";
import type {
  Backend,
  Ended,
  EngineCommand,
  EngineStdio,
  ResolvedConfig,
  Running,
} from "@sandboxlib/core/backend";

/** What the engine is sent before there is a command. */
interface Request {
  readonly socket: string;
  readonly env: ResolvedConfig["env"];
  readonly cwd: string;
}

/** A backend of the kind `engine`, for the server of this folder that listens on a Unix socket. */
export function engineBackend(socket: string): Backend {
  return {
    apiVersion: 1,
    name: "engine",
    isEngine: true,
    capabilities: new Set(["cwd", "env.loader"]),
    async probe() {
      const isThere = await new Promise<boolean>((resolve) => {
        const connection = connect(socket, () => resolve(true)).on("error", () => resolve(false));
        connection.unref().on("connect", () => connection.destroy());
      });
      if (isThere) return { available: true };
      return { available: false, reason: "the engine does not answer", remedy: "Start it." };
    },
    plan: ({ env, cwd }) => ({
      kind: "engine",
      request: { socket, env, cwd } satisfies Request,
      mechanisms: {
        cwd: "the engine's `cwd`",
        "env.loader": "the engine's `env`, which is the program's alone",
      },
      start: (request, command, stdio) => start(request as Request, command, stdio),
    }),
  };
}

let last = 0;

function start(
  { socket, ...request }: Request,
  { argv }: EngineCommand,
  stdio: EngineStdio,
): Running {
  const words = argv.map((word, index) => {
    if (typeof word === "string") return word;
    const path = `command[${index}]`;
    throw new SandboxError("CONFIG_INVALID", `${path}: is not UTF-8`, { path });
  });
  last += 1;
  const run = `${process.pid}-${last}`;
  const open = (role: string, more: object = {}): Socket => {
    const connection = connect({ path: socket, allowHalfOpen: true });
    connection.write(`${JSON.stringify({ run, role, ...more })}\n`);
    return connection.on("error", () => undefined);
  };
  const control = open("control", { ...request, argv: words, stdio });
  let isOver = false;
  const ended = endOf(control).finally(() => {
    isOver = true;
  });
  const send = (message: object): boolean => {
    if (isOver) return false;
    control.write(`${JSON.stringify(message)}\n`);
    return true;
  };
  return {
    startedAt: performance.now(),
    streams: {
      stdin: stdio.stdin === "pipe" ? writable(open("stdin")) : null,
      stdout: stdio.stdout === "pipe" ? readable(open("stdout")) : null,
      stderr: stdio.stderr === "pipe" ? readable(open("stderr")) : null,
    },
    ended,
    signal: (name) => send({ signal: signalNumber(name) }),
    kill: () => send({ kill: true }),
    remove: async () => void control.destroy(),
  };
}

/** Closed by the engine when the program has no standard input any more. */
function writable(connection: Socket): Writable {
  return connection.on("end", () => connection.destroy()).resume();
}

function readable(connection: Socket): Readable {
  return connection.pipe(new PassThrough()).on("close", () => connection.destroy());
}

type End =
  | { readonly exitCode: number }
  | { readonly failed: ErrorCode; readonly message: string; readonly hint?: string };

function endOf(control: Socket): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let text = "";
    control.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    control
      .on("close", () => reject(gone()))
      .on("end", () => {
        if (!text.endsWith("\n")) return reject(gone());
        const end = JSON.parse(text) as End;
        resolve({ verdict: () => verdictOf(end) });
      });
  });
}

function verdictOf(end: End): ReturnType<Ended["verdict"]> {
  if ("exitCode" in end) return { kind: "exited", exitCode: end.exitCode };
  const { failed: code, ...more } = end;
  return { kind: "failed", code, ...more };
}

function gone(): SandboxError {
  return new SandboxError("LAUNCH_FAILED", "the engine has gone, and the program with it");
}
