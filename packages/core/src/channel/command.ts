import { constants } from "node:os";
import { HINT_TOO_LONG } from "../launch/spawn-tool.js";
import { SandboxError } from "../result/error.js";
import { frame, str, strs, u8, u32 } from "./frame.js";

/** Where a standard stream of a command leads: see the protocol. `merged` is for standard error alone. */
export type Stream = "own" | "discard" | "pipe" | "merged" | "courier";

/** What to run. */
export interface Command {
  readonly id: number;
  readonly streams: readonly [Stream, Stream, Stream];
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The command frame.
 *
 * @throws SandboxError `LAUNCH_FAILED` when it is longer than the protocol has it.
 */
export function encodeCommand({ id, streams, cwd, argv, env }: Command): Buffer {
  const encoded = frame(
    "C",
    u32(id),
    u8(...streams.map((stream) => STREAMS[stream])),
    str(cwd),
    strs(argv),
    strs(Object.entries(env).map(([name, value]) => `${name}=${value}`)),
  );
  if (encoded.length <= LONGEST) return encoded;
  throw new SandboxError("LAUNCH_FAILED", `the command has ${encoded.length} bytes`, {
    hint: HINT_TOO_LONG,
  });
}

const LONGEST = 16 * 1024 * 1024;

/**
 * Sends a signal to a command.
 *
 * @throws TypeError when this system has no signal of that name.
 */
export function encodeSignal(id: number, name: NodeJS.Signals): Buffer {
  if (!Object.hasOwn(constants.signals, name)) throw new TypeError(`unknown signal: ${name}`);
  return frame("K", u32(id), u32(constants.signals[name]));
}

/** Says that the ends of a command's pipes have been opened. */
export function encodeOpened(id: number): Buffer {
  return frame("O", u32(id));
}

const STREAMS = { own: 0, discard: 1, pipe: 2, merged: 3, courier: 4 } as const;
