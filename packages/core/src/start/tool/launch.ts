import type { ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";
import type { Host } from "../../backend/backend.js";
import type { ToolPlan } from "../../backend/plan.js";
import type { StdioTargets } from "../../backend/running.js";
import type { Group } from "../../cgroup/group.js";
import { now } from "../../host/lazily.js";
import { rlimitsFor } from "../../host/rlimit.js";
import { assertProgram } from "../../paths/program.js";
import { recheckPaths } from "../../paths/resolve-paths.js";
import { SandboxError } from "../../result/error.js";
import { openStdio, refusePassFds, type Stdio } from "../open-stdio.js";
import { isHeld, type Prepared } from "../prepared.js";
import { spawnTool } from "../spawn-tool.js";
import { type Around, connectFds, type Launched, openAround } from "./around.js";
import { withLimits } from "./prlimit.js";
import { inheritedFds, shim } from "./shim.js";

/**
 * Checks what may have changed since the sandbox was made, and starts the plan's tool.
 *
 * @throws SandboxError `PATH_INVALID`, `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `LAUNCH_FAILED`
 */
export function launch(
  prepared: Prepared<ToolPlan>,
  argv: readonly string[],
  targets: StdioTargets,
  group: Group | undefined,
): Launched {
  const { plan: general, tool, clonedFds, config, host, closedOnExec, backend } = prepared;
  const check = (): void => {
    recheckPaths(config);
    assertProgram(config, argv[0] ?? "");
  };
  // A tool that waits for data on an fd is started before the checks, which cost no time then and are made as late as
  // possible.
  const waits = Object.values(general.fds ?? {}).some(
    (content) => typeof content === "object" && "data" in content && content.isForProgram !== true,
  );
  if (general.closesFds === true) refusePassFds(targets, `the backend ${backend}`);
  refuseTaken(targets.passFds, general);
  if (!waits) check();
  const stdio = openStdio(targets, host);
  let around: Around | undefined;
  let child: ChildProcess | undefined;
  try {
    around = openAround({ ...general, argv: tool ?? general.argv }, argv, backend, host);
    const { plan, watch } = around;
    const startedAt = now();
    const command = withLimits(plan.argv, plan, rlimitsFor(config.limits), host);
    const slots: Slot[] = [...stdio.slots, ...moreSlots(plan, clonedFds, targets.passFds ?? [])];
    const gate = group === undefined ? undefined : addGate(slots);
    const started = start(plan, command, { merge: stdio.merge, slots, gate }, host, closedOnExec);
    child = started;
    const release = started.pid === undefined ? () => undefined : watch(started.pid);
    if (waits) orAbandon(started, release, check);
    if (gate !== undefined) orAbandon(started, release, () => openGate(started, gate, group));
    const { stdin, stdout, stderr } = started;
    const streams = { stdin, stdout, stderr, ...stdio.take() };
    return {
      ...around,
      child,
      streams,
      startedAt,
      release,
      ...connectFds(pipesOf(started, plan), plan, isHeld(prepared.verification)),
    };
  } catch (error) {
    around?.undoNow(child !== undefined);
    throw error;
  } finally {
    stdio.close();
  }
}

/** An fd of the plan would take the place of one that is to be handed on. */
function refuseTaken(passFds: StdioTargets["passFds"], { fds = {} }: ToolPlan): void {
  const index = passFds?.findIndex((fd) => fds[fd] !== undefined) ?? -1;
  if (index < 0) return;
  const path = `passFds[${index}]`;
  const message = `${path}: the tool of the backend uses fd ${passFds?.[index]} itself`;
  throw new SandboxError("CONFIG_INVALID", message, {
    path,
    hint: `Hand on another one: it uses ${Object.keys(fds).join(", ")}.`,
  });
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
  return spawnTool(shim(argv, inherited, merge, host, plan.env, gate), {
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

function pipesOf({ stdio }: ChildProcess, plan: ToolPlan): ReadonlyMap<number, Duplex> {
  const pipes = Object.keys(plan.fds ?? {}).flatMap((fd): [number, Duplex][] => {
    const pipe = stdio[Number(fd)] as Duplex | null | undefined;
    return pipe === null || pipe === undefined ? [] : [[Number(fd), pipe]];
  });
  return new Map(pipes);
}
