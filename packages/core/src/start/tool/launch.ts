import type { ChildProcess } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import type { Host } from "../../backend/backend.js";
import type { ToolPlan } from "../../backend/plan.js";
import type { StdioTargets, Streams } from "../../backend/running.js";
import type { Group } from "../../cgroup/group.js";
import { filter } from "../../host/seccomp-filter.js";
import { assertProgram } from "../../paths/program.js";
import { recheckPaths } from "../../paths/resolve-paths.js";
import { openStdio, type Stdio } from "../open-stdio.js";
import type { Prepared } from "../prepared.js";
import { spawnTool } from "../spawn-tool.js";
import { type Own, openOwn } from "./own.js";
import { withLimits } from "./prlimit.js";
import { inheritedFds, shim } from "./shim.js";
import { type Taken, takeSteps } from "./steps.js";
import { openWatchdog, type Watch } from "./watchdog.js";

/** A tool that has been started, and what core holds of it. */
export interface Launched {
  readonly child: ChildProcess;
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
}

/**
 * Checks what may have changed since the sandbox was made, and starts the plan's tool.
 *
 * @throws SandboxError `PATH_INVALID`, `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `LAUNCH_FAILED`
 */
export function launch(
  { plan: general, tool, clonedFds, config, host, closedOnExec, backend }: Prepared<ToolPlan>,
  argv: readonly string[],
  targets: StdioTargets,
  group: Group | undefined,
): Launched {
  const check = (): void => {
    recheckPaths(config);
    assertProgram(config, argv[0] ?? "");
  };
  // A tool that waits for data on an fd is started before the checks, which cost no time then and are made as late as
  // possible.
  const waits = Object.values(general.fds ?? {}).some(
    (content) => typeof content === "object" && "data" in content && content.isForProgram !== true,
  );
  if (!waits) check();
  const stdio = openStdio(targets, host);
  let around: Around | undefined;
  let child: ChildProcess | undefined;
  try {
    around = openAround({ ...general, argv: tool ?? general.argv }, backend, host);
    const { plan, watch } = around;
    const startedAt = performance.now();
    const command = withLimits([...plan.argv, ...argv], config.limits, host);
    const slots: Slot[] = [...stdio.slots, ...moreSlots(plan, clonedFds, targets.passFds ?? [])];
    const gate = group === undefined ? undefined : addGate(slots);
    const started = start(plan, command, { merge: stdio.merge, slots, gate }, host, closedOnExec);
    child = started;
    const release = started.pid === undefined ? () => undefined : watch(started.pid);
    if (waits) orAbandon(started, release, check);
    if (gate !== undefined) orAbandon(started, release, () => openGate(started, gate, group));
    const { stdin, stdout, stderr } = started;
    const streams = { stdin, stdout, stderr, ...stdio.take() };
    return { ...around, child, streams, startedAt, release, ...connectFds(started, plan) };
  } catch (error) {
    around?.undoNow(child !== undefined);
    throw error;
  } finally {
    stdio.close();
  }
}

/** What there is around a tool: what has to be there before it is started, and taken back when it has ended. */
interface Around extends Pick<Launched, "plan" | "tmpfs" | "undo"> {
  readonly watch: Watch;
  /** For a start that failed. */
  readonly undoNow: (hasBegun: boolean) => void;
}

function openAround(general: ToolPlan, backend: string, host: Host): Around {
  const own = openOwn(general, backend);
  const { plan, tmpfs, script } = own;
  let steps: Taken | undefined;
  let forget = (): void => undefined;
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
    const watch = openWatchdog(host);
    if (script !== undefined) forget = watch(script);
    return { plan, tmpfs, watch, undo, undoNow };
  } catch (error) {
    undoNow(false);
    throw error;
  }
}

type Slot = "pipe" | "ignore" | number;

interface Slots {
  readonly slots: readonly Slot[];
  /** The fd from which the tool waits for a line before it starts, if it has to wait. */
  readonly gate: number | undefined;
}

function start(
  plan: ToolPlan,
  argv: readonly [string, ...string[]],
  { slots, merge, gate }: Pick<Stdio, "merge"> & Slots,
  host: Host,
  closedOnExec: Set<number>,
): ChildProcess {
  const inherited = inheritedFds(closedOnExec).filter((fd) => fd >= slots.length);
  return spawnTool(shim(argv, inherited, merge, host, gate), {
    env: plan.env,
    stdio: [...slots],
    // Node gives up the supplementary groups when it is told an id, even one's own. Only root may.
    ...(host.uid === 0 && { uid: host.uid, gid: host.gid }),
  });
}

/** The fds from 3 on. Node leaves an `ignore` among them closed. */
function moreSlots(
  plan: ToolPlan,
  cloned: ReadonlyMap<number, number>,
  pass: readonly number[],
): Slot[] {
  const fds = Object.keys(plan.fds ?? {}).map(Number);
  return Array.from({ length: Math.max(2, ...fds, ...pass) - 2 }, (_, index) => {
    const fd = index + 3;
    if (fds.includes(fd)) return cloned.get(fd) ?? "pipe";
    return pass.includes(fd) ? fd : "ignore";
  });
}

/** A low fd, where there is one: not every shell can name those above 9. */
function addGate(slots: Slot[]): number {
  const free = slots.indexOf("ignore", 3);
  if (free < 0) return slots.push("pipe") - 1;
  slots[free] = "pipe";
  return free;
}

/** Moves the tool's process into its cgroup, and then lets it start, so that everything that it starts is in there. */
function openGate({ pid, stdio }: ChildProcess, gate: number, group: Group | undefined): void {
  const pipe = stdio[gate] as Duplex | null | undefined;
  // A tool that could not be started is reported by an event.
  if (pid === undefined || pipe === null || pipe === undefined) return;
  group?.admit(pid);
  pipe.on("error", () => undefined).end("\n");
}

function orAbandon(child: ChildProcess, release: () => void, check: () => void): void {
  try {
    check();
  } catch (error) {
    child.on("error", () => undefined);
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    for (const pipe of child.stdio) pipe?.destroy();
    release();
    throw error;
  }
}

function connectFds(child: ChildProcess, plan: ToolPlan): Pick<Launched, "report" | "lifelines"> {
  let report: Readable | undefined;
  const lifelines: Writable[] = [];
  for (const [fd, content] of Object.entries(plan.fds ?? {})) {
    const pipe = child.stdio[Number(fd)] as Duplex | null | undefined;
    if (pipe === null || pipe === undefined) continue;
    // A tool that dies early closes its end of the pipe. Its exit says why.
    pipe.on("error", () => undefined);
    if (content === "report") report = pipe;
    else if (content === "lifeline") lifelines.push(pipe);
    else if (content === "filter") pipe.end(filter());
    else if ("data" in content) pipe.end(content.data);
  }
  return { report, lifelines };
}
