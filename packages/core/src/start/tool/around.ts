import type { Duplex, Readable, Writable } from "node:stream";
import type { Host } from "../../backend/backend.js";
import type { ToolPlan } from "../../backend/plan.js";
import type { Streams } from "../../backend/running.js";
import { filter } from "../../host/seccomp-filter.js";
import { GO_AHEAD, type ToolProcess } from "./fork.js";
import { type Own, openOwn } from "./own.js";
import { type Taken, takeSteps } from "./steps.js";
import { openWatchdog, type Watch } from "./watchdog.js";

/** A tool that has been started, and what core holds of it. */
export interface Launched {
  readonly child: ToolProcess;
  readonly streams: Streams;
  readonly startedAt: number;
  /** Says that the tool's process group needs no watching any more. */
  readonly release: () => void;
  /** The plan in the words of this run. */
  readonly plan: ToolPlan;
  readonly tmpfs: Own["tmpfs"];
  /** Ends what the tool has started elsewhere, removes the run's own directory, and takes the plan's steps back. */
  readonly undo: () => Promise<void>;
  /** The pipe on which the tool reports, where the plan has one. */
  readonly report: Readable | undefined;
  /** Pipes whose end tells the tool that this run, or this process, is over. */
  readonly lifelines: readonly Writable[];
  /** The pipe for the byte that the tool waits for, where it has to wait. */
  readonly hold: Writable | undefined;
}

/** What there is around a tool: what has to be there before it is started, and taken back when it has ended. */
export interface Around extends Pick<Launched, "plan" | "tmpfs" | "undo"> {
  readonly watch: Watch;
  /** For a start that failed. */
  readonly undoNow: (hasBegun: boolean) => void;
}

/**
 * Makes it.
 *
 * @throws SandboxError `LAUNCH_FAILED`; nothing is left then.
 */
export function openAround(
  general: ToolPlan,
  command: readonly string[],
  backend: string,
  host: Host,
): Around {
  const watch = openWatchdog(host);
  let steps: Taken | undefined;
  let forget = (): void => undefined;
  const own = orForget(
    () => openOwn(general, backend, (script) => (forget = watch(script))),
    () => forget(),
  );
  const { tmpfs } = own;
  const plan = withCommand(own.plan, command);
  const undoNow = (hasBegun: boolean): void => {
    try {
      own.removeNow(hasBegun);
    } finally {
      forget();
      steps?.undoNow();
    }
  };
  const undo = async (): Promise<void> => {
    try {
      await own.remove();
    } finally {
      forget();
      await steps?.undo();
    }
  };
  try {
    steps = takeSteps(plan.before ?? []);
    return { plan, tmpfs, watch, undo, undoNow };
  } catch (error) {
    undoNow(false);
    throw error;
  }
}

/** Hands the program's argument vector over: on the fd that is for it, or else behind the tool's own. */
function withCommand(plan: ToolPlan, command: readonly string[]): ToolPlan {
  const fds = Object.entries(plan.fds ?? {});
  const at = fds.find(([, content]) => content === "command")?.[0];
  if (at === undefined) return { ...plan, argv: [...plan.argv, ...command] };
  const data = command.map((word) => `${word}\0`).join("");
  return { ...plan, fds: { ...plan.fds, [at]: { data, isForProgram: true } } };
}

function orForget<Value>(make: () => Value, forget: () => void): Value {
  try {
    return make();
  } catch (error) {
    forget();
    throw error;
  }
}

/** Writes what the tool is to find on its fds, and gives the other ends of those that it reports on. */
export function connectFds(
  pipes: ReadonlyMap<number, Duplex>,
  plan: ToolPlan,
  mustHold: boolean,
): Pick<Launched, "report" | "lifelines" | "hold"> {
  let report: Readable | undefined;
  let hold: Writable | undefined;
  const lifelines: Writable[] = [];
  for (const [fd, pipe] of pipes) {
    const content = plan.fds?.[fd];
    // A tool that dies early closes its end of the pipe. Its exit says why.
    pipe.on("error", () => undefined);
    if (content === "report") report = pipe;
    else if (content === "lifeline") lifelines.push(pipe);
    else if (content === "filter") pipe.end(filter());
    else if (content === "hold" && mustHold) hold = pipe;
    else if (content === "hold") pipe.end(GO_AHEAD);
    else if (typeof content === "object" && "filter" in content) pipe.end(filter(content.filter));
    else if (typeof content === "object" && "data" in content) pipe.end(content.data);
  }
  return { report, lifelines, hold };
}
