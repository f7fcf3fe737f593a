import type { ChildProcess } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import type { Host } from "../../backend/backend.js";
import type { ToolPlan } from "../../backend/plan.js";
import type { ResolvedConfig } from "../../backend/resolved-config.js";
import type { StdioTargets, Streams } from "../../backend/running.js";
import type { Group } from "../../cgroup/group.js";
import { filter } from "../../host/seccomp-filter.js";
import { assertProgram } from "../../paths/program.js";
import { recheckPaths } from "../../paths/resolve-paths.js";
import { openStdio, type Stdio } from "../open-stdio.js";
import { spawnTool } from "../spawn-tool.js";
import { withLimits } from "./prlimit.js";
import { inheritedFds, shim } from "./shim.js";
import { type Taken, takeSteps } from "./steps.js";
import { openWatchdog } from "./watchdog.js";

/** A tool that has been started, and what core holds of it. */
export interface Launched {
  readonly child: ChildProcess;
  readonly streams: Streams;
  readonly startedAt: number;
  /** Says that the tool's process group needs no watching any more. */
  readonly release: () => void;
  /** Takes the plan's steps back. */
  readonly undo: Taken["undo"];
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
  plan: ToolPlan,
  config: ResolvedConfig,
  argv: readonly string[],
  targets: StdioTargets,
  host: Host,
  closedOnExec: Set<number>,
  group: Group | undefined,
): Launched {
  const check = (): void => {
    recheckPaths(config);
    assertProgram(config, argv[0] ?? "");
  };
  // A tool that waits for data on an fd is started before the checks, which cost no time then and are made as late as
  // possible.
  const waits = Object.values(plan.fds ?? {}).some((content) => typeof content === "object");
  if (!waits) check();
  const stdio = openStdio(targets, host);
  let steps: Taken | undefined;
  try {
    steps = takeSteps(plan.before ?? []);
    const watchGroup = openWatchdog(host);
    const startedAt = performance.now();
    const command = withLimits([...plan.argv, ...argv], config.limits, host);
    const slots = [...stdio.slots, ...moreSlots(plan, targets.passFds ?? [])];
    const gate = group === undefined ? undefined : slots.push("pipe") - 1;
    const child = start(plan, command, { merge: stdio.merge, slots, gate }, host, closedOnExec);
    const release = child.pid === undefined ? () => undefined : watchGroup(child.pid);
    if (waits) orAbandon(child, release, check);
    if (gate !== undefined) orAbandon(child, release, () => openGate(child, gate, group));
    const { stdin, stdout, stderr } = child;
    const streams = { stdin, stdout, stderr, ...stdio.take() };
    const { undo } = steps;
    return { child, streams, startedAt, release, undo, ...connectFds(child, plan) };
  } catch (error) {
    steps?.undoNow();
    throw error;
  } finally {
    stdio.close();
  }
}

interface Slots {
  readonly slots: readonly ("pipe" | "ignore" | number)[];
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
function moreSlots(plan: ToolPlan, pass: readonly number[]): ("pipe" | "ignore" | number)[] {
  const fds = Object.keys(plan.fds ?? {}).map(Number);
  return Array.from({ length: Math.max(2, ...fds, ...pass) - 2 }, (_, index) => {
    if (fds.includes(index + 3)) return "pipe";
    return pass.includes(index + 3) ? index + 3 : "ignore";
  });
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
    else pipe.end(content === "filter" ? filter() : content.data);
  }
  return { report, lifelines };
}
