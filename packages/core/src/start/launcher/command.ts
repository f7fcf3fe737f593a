import type { StdioTarget, StdioTargets, WindowSize } from "../../backend/running.js";
import type { Word } from "../../config/text.js";
import type { Limits } from "../../config/types.js";
import { rlimitsFor } from "../../host/rlimit.js";
import { SandboxError } from "../../result/error.js";
import { numberOf } from "../../result/signal.js";
import { HINT_TOO_LONG } from "../spawn-tool.js";
import { frame, record, str, strs, u8, u32, u64 } from "./frame.js";

/** Where a standard stream of a command leads: see the protocol. `merged` is for standard error alone. */
export type Stream = "own" | "discard" | "pipe" | "merged" | "sent";

/** What to run. */
export interface Command {
  readonly id: number;
  readonly streams: readonly [Stream, Stream, Stream];
  readonly cwd: string;
  readonly argv: readonly Word[];
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  /** The size of its terminal, if it is to have one. */
  readonly window: WindowSize | undefined;
}

/**
 * The command frame.
 *
 * @throws SandboxError `LAUNCH_FAILED` when it is longer than the protocol has it.
 */
export function encodeCommand({ id, streams, cwd, argv, env, limits, window }: Command): Buffer {
  const encoded = frame(
    "C",
    u32(id),
    u8(...streams.map((stream) => STREAMS[stream])),
    str(cwd),
    strs(argv),
    strs(Object.entries(env).map(([name, value]) => `${name}=${value}`)),
    ...rlimitsFor(limits).map(({ resource, soft, hard }) =>
      record("L", u8(resource), u64(soft), u64(hard)),
    ),
    ...(window === undefined ? [] : [record("T", u32(window.columns), u32(window.rows))]),
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
  return frame("K", u32(id), u32(numberOf(name)));
}

/** Gives the terminal of a command another size. */
export function encodeWindow(id: number, { columns, rows }: WindowSize): Buffer {
  return frame("W", u32(id), u32(columns), u32(rows));
}

/** Says that the ends of a command's pipes have been opened. */
export function encodeOpened(id: number): Buffer {
  return frame("O", u32(id));
}

const STREAMS = { own: 0, discard: 1, pipe: 2, merged: 3, sent: 4 } as const;

/** How the launcher is to make the standard streams of a command in a session. */
export function streamsOf({
  stdin,
  stdout,
  stderr,
}: StdioTargets): readonly [Stream, Stream, Stream] {
  return [streamOf(stdin), streamOf(stdout), stderr === "stdout" ? "merged" : streamOf(stderr)];
}

function streamOf(wire: StdioTarget): Stream {
  if (typeof wire === "number") return "sent";
  return wire === "discard" ? "discard" : "pipe";
}
