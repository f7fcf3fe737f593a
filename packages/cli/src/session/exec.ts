import type { Socket } from "node:net";
import { constants } from "node:os";
import type { SandboxResult } from "@sandboxlib/core";
import { assertUsable, type CommandLine, valueOf, valuesOf } from "../command-line.js";
import { CliError } from "../errors.js";
import { type End, exitCodeOf } from "../exit-code.js";
import { forwardSignals } from "../signals.js";
import { FrameReader, frame } from "./frame.js";
import { assertNamed, connectTo } from "./place.js";
import type { Asked } from "./serve.js";

/** Runs a command in a session, with the standard streams of this process. */
export async function exec(line: CommandLine): Promise<End> {
  assertUsable(line);
  const asked = askedOf(line);
  const socket = await connectTo(line.root);
  const signals = forwardSignals();
  const input = new Input(socket);
  try {
    socket.write(frame("command", JSON.stringify(asked)));
    signals.to({ kill: (signal = "SIGTERM") => socket.write(frame("signal", signal)) });
    const result = await endOf(socket, input);
    if (result === undefined) return 128 + constants.signals.SIGPIPE;
    return signals.endedBy(result) ?? exitCodeOf(result);
  } finally {
    signals.stop();
    input.stop();
    socket.destroy();
  }
}

function askedOf(line: CommandLine): Asked {
  assertNamed(line.root);
  if (line.program.length === 0)
    throw new CliError("COMMAND: there is none to run", {
      hint: "Write it behind the name of the session: `session exec NAME -- COMMAND`.",
    });
  const env = [...valuesOf(line, "env-file").flat(), ...valuesOf(line, "env")];
  return {
    argv: line.program,
    env: Object.fromEntries(env),
    cwd: valueOf(line, "cwd"),
    wallTime: valueOf(line, "timeout"),
  };
}

/**
 * Shows the output of the command until it has ended.
 *
 * @returns undefined when nobody reads the output any more; the command is then ended, too.
 * @throws CliError where it could not be run.
 */
async function endOf(socket: Socket, input: Input): Promise<SandboxResult | undefined> {
  const reader = new FrameReader();
  return new Promise((resolve, reject) => {
    for (const output of [process.stdout, process.stderr])
      output.once("error", () => resolve(undefined));
    socket.on("data", (chunk) => {
      for (const { kind, data } of reader.push(chunk)) {
        if (kind === "stdout") show(process.stdout, data, socket);
        else if (kind === "stderr") show(process.stderr, data, socket);
        else if (kind === "more") input.send();
        else if (kind === "result") resolve(JSON.parse(data.toString()) as SandboxResult);
        else if (kind === "error") reject(errorOf(data));
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () =>
      reject(new CliError("the session has ended, and the command with it", { exitCode: 125 })),
    );
  });
}

/** Writes no faster than it is read. */
function show(to: NodeJS.WriteStream, data: Buffer, socket: Socket): void {
  if (to.write(data) || socket.isPaused()) return;
  socket.pause();
  to.once("drain", () => socket.resume());
}

function errorOf(data: Buffer): CliError {
  const { message, ...details } = JSON.parse(data.toString()) as {
    readonly message: string;
    readonly hint?: string;
    readonly exitCode: number;
  };
  return new CliError(message, details);
}

/** Standard input, of which a chunk is read when the command has taken the one before. */
class Input {
  readonly #socket: Socket;
  #isWanted = false;
  #isListening = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The command takes a chunk more. */
  send(): void {
    this.#isWanted = true;
    if (!this.#isListening) {
      this.#isListening = true;
      process.stdin.on("readable", this.#pump);
      process.stdin.on("end", () => this.#socket.write(frame("stdin-end")));
      process.stdin.on("error", () => this.#socket.write(frame("stdin-end")));
    }
    this.#pump();
  }

  readonly #pump = (): void => {
    if (!this.#isWanted) return;
    const chunk = process.stdin.read() as Buffer | null;
    if (chunk === null) return;
    this.#isWanted = false;
    this.#socket.write(frame("stdin", chunk));
  };

  stop(): void {
    if (this.#isListening) process.stdin.destroy();
  }
}
