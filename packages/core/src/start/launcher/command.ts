import type { LauncherPlan } from "../../backend/plan.js";
import type { StdioTarget, StdioTargets, WindowSize } from "../../backend/running.js";
import type { Word } from "../../config/text.js";
import type { Limits } from "../../config/types.js";
import { RLIMITS, rlimitNames, rlimitsFor } from "../../host/rlimit.js";
import { SandboxError } from "../../result/error.js";
import { numberOf } from "../../result/signal.js";
import { HINT_TOO_LONG } from "../spawn-tool.js";
import { frame, record, str, strs, u8, u32, u64 } from "./frame.js";
import { mayBeLarge } from "./large-pipes.js";

/**
 * What core does for every plan for the launcher: it has that set the limits of setrlimit(2), for each program alone. A
 * backend adds `mechanisms` to its own, which declares the capabilities.
 */
export const launcherLimits: { readonly mechanisms: LauncherPlan["mechanisms"] } = {
  mechanisms: Object.fromEntries(
    rlimitNames().map((name) => [
      `limit.${name}`,
      `prlimit64(RLIMIT_${RLIMITS[name].option.toUpperCase()}) of the program`,
    ]),
  ),
};

/** Where a standard stream of a command leads: see the protocol. `merged` is for standard error alone. */
export type Stream = "own" | "discard" | "pipe" | "merged" | "sent";

/** What to run. */
export interface Command {
  readonly id: number;
  readonly streams: readonly [Stream, Stream, Stream];
  /** Whether its standard output is a pipe of ours, from which this process reads. */
  readonly isOutputRead: boolean;
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
export function encodeCommand(command: Command): Buffer {
  const { id, cwd, argv, env, limits, window } = command;
  const encoded = frame(
    "C",
    u32(id),
    u8(...numbersOf(command)),
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

/** A pipe that holds more is written to while this process has something else to do. */
function numbersOf({ streams, isOutputRead }: Command): number[] {
  const numbers: number[] = streams.map((stream) => STREAMS[stream]);
  return isOutputRead && mayBeLarge() ? numbers.with(1, LARGE) : numbers;
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
const LARGE = 5;

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
