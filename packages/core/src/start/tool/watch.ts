import { constants } from "node:os";
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Report, ToolPlan } from "../../backend/plan.js";
import {
  childrenOf,
  gone,
  groupFrom,
  type Init,
  kill as killInit,
  treeFrom,
} from "../../host/processes.js";
import { numberOf } from "../../result/signal.js";
import type { Launched } from "./around.js";
import { follow } from "./follow.js";
import type { ToolProcess } from "./fork.js";

/** How a tool ended. */
export interface ToolEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started, if it could not. */
  readonly error: Error | undefined;
  /** What the backend threw when it was to read the report. */
  readonly unreadable: Error | undefined;
  /** Whether pid 1 of the sandbox would not go away. */
  readonly survived: boolean;
}

/** A running tool. */
export interface Watched {
  /** What the tool has reported so far. */
  report(): { readonly text: string; readonly read: Report };
  /** Resolves when the tool has ended and every process of the sandbox is gone. */
  readonly ended: Promise<ToolEnd>;
  /** Sends a signal to the program; false when there is none any more. */
  readonly signal: (name: NodeJS.Signals) => boolean;
  readonly isStarting: () => boolean;
  /** Ends everything at once; false when it has ended already. */
  readonly kill: () => boolean;
}

/** Signals for a whole process group: those that a terminal sends, and SIGSTOP and SIGCONT. */
const FROM_TERMINAL: ReadonlySet<string> = new Set([
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTSTP",
  "SIGSTOP",
  "SIGCONT",
]);
const RETRY = 5;
const LOOK_EVERY = 2;

/** Who is told of the progress of a tool. */
export interface Watcher {
  /** The report has grown. */
  readonly onReport: (report: Report, init: Init | undefined) => void;
  /** The program has been started, so the set-up is complete. Not called for a program that ends too soon to be seen. */
  readonly onSetUp: (init: Init) => void;
}

/** Follows a tool from its start to the end of the last process. */
export function watch(
  { child, report, lifelines, hold }: Launched,
  plan: ToolPlan,
  { onReport, onSetUp }: Watcher,
): Watched {
  let isAwaited = false;
  const awaitProgram = async (init: Init): Promise<void> => {
    while (isRunning() && programOf(plan, child, init.pid, seen.read) === undefined)
      await setTimeout(LOOK_EVERY);
    if (isRunning()) onSetUp(init);
  };
  const seen = follow(report, child.pid, plan, {
    onReport() {
      onReport(seen.read, seen.init);
      if (isAwaited || seen.init === undefined) return;
      isAwaited = true;
      void awaitProgram(seen.init);
    },
    onUnreadable: () => void kill(),
  });
  const exit = exited(child);
  const ended = exit.then(async (result) => {
    for (const pipe of [...lifelines, hold]) pipe?.destroy();
    if (report !== undefined) await lastWords();
    const { init, unreadable } = seen;
    if (result.error !== undefined && init !== undefined) killInit(init);
    // A tool that was killed before it reported pid 1 may have left processes in its group.
    const isUnclear = result.signal !== null || result.error !== undefined;
    if (init === undefined && report !== undefined && isUnclear)
      send(-(child.pid ?? Number.NaN), constants.signals.SIGKILL);
    return { ...result, unreadable, survived: init !== undefined && !(await gone(init)) };
  });
  const isRunning = (): boolean =>
    child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const program = (): number | undefined => programOf(plan, child, seen.init?.pid, seen.read);
  const isStarting = (): boolean => isRunning() && program() === undefined;
  const signal = (name: NodeJS.Signals): boolean => {
    const number = numberOf(name);
    if (!isRunning()) return false;
    const pid = program();
    // The tool is still setting up: the program gets its signal as soon as it is there.
    if (pid === undefined) void setTimeout(RETRY).then(() => signal(name));
    else for (const each of FROM_TERMINAL.has(name) ? groupFrom(pid) : [pid]) send(each, number);
    return true;
  };
  const kill = (): boolean => {
    if (!isRunning() || child.pid === undefined) return false;
    // On a busy machine pid 1 takes its time to die, and the program, which has a session of its own, may begin meanwhile.
    const tree = stopped(child.pid);
    if (seen.init !== undefined) killInit(seen.init);
    for (const pid of tree) send(pid, constants.signals.SIGKILL);
    send(-child.pid, constants.signals.SIGKILL);
    return true;
  };
  return { report: () => seen, ended, signal, isStarting, kill };
}

function exited(child: ToolProcess): Promise<Omit<ToolEnd, "survived" | "unreadable">> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ exitCode: null, signal: null, error }));
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal, error: undefined }));
  });
}

/** The program, once it is there. Only the first child of a process counts, as later ones were adopted. */
function programOf(
  { signals = "tool" }: ToolPlan,
  { pid: tool }: ToolProcess,
  init: number | undefined,
  { supervisor }: Report,
): number | undefined {
  if (signals === "tool") return tool;
  if (tool === undefined || init === undefined) return undefined;
  if (signals === "child of tool") return childrenOf(tool)?.find((pid) => pid !== init);
  const parent = signals === "child of init" ? init : supervisor;
  return parent === undefined ? undefined : childrenOf(parent)?.[0];
}

/** All that is below a tool, in whatever session. The tool is stopped first, so that it starts nothing more. */
function stopped(tool: number): number[] {
  send(-tool, constants.signals.SIGSTOP);
  return treeFrom(tool);
}

function send(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

/** Gives the event loop two turns, to read what the tool wrote right before it ended. */
async function lastWords(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
