import { statSync } from "node:fs";
import type { ToolPlan } from "../../backend/plan.js";
import type { StdioTargets } from "../../backend/running.js";
import type { Group } from "../../cgroup/group.js";
import { withStats } from "../../cgroup/stats.js";
import type { Word } from "../../config/text.js";
import { startTimeOf, stuck } from "../../host/processes.js";
import { SandboxError } from "../../result/error.js";
import { Checker } from "../../verify/checker.js";
import { masksOf } from "../../verify/masks.js";
import type { Prepared } from "../prepared.js";
import type { CheckedEnd, Started } from "../started.js";
import { watchCpuTime } from "./cpu-time.js";
import { launch } from "./launch.js";
import { type ToolEnd, type Watched, watch } from "./watch.js";

/**
 * Runs a program with a tool of the host.
 *
 * @throws SandboxError as {@link launch} does; what goes wrong later rejects `ended`.
 */
export function startTool(
  prepared: Prepared<ToolPlan>,
  words: readonly Word[],
  targets: StdioTargets,
): Started {
  const { config, backend } = prepared;
  const masks = masksOf(config);
  const argv = words.map(asText);
  const group = prepared.openGroup(false);
  const launched = orEnd(group, () => launch(prepared, argv, withoutNull(targets), group));
  const { plan } = launched;
  const checker = new Checker(prepared, launched.tmpfs);
  const watched: Watched = watch(launched, plan, {
    onReport: (report) => checker.checkNamespaces(report) || watched.kill(),
    onSetUp: ({ pid, started }) =>
      checker.checkSetUp(pid, () => startTimeOf(pid) === started) || watched.kill(),
  });
  let bared: SandboxError | undefined;
  const look = (): void => {
    bared ??= masks?.fault();
    if (bared !== undefined) watched.kill();
  };
  masks?.watch(look);
  const cpuTimeSeen = watchCpuTime(launched.child.pid, config.limits);
  const ended = watched.ended.then((end): CheckedEnd => {
    const seen = cpuTimeSeen();
    look();
    masks?.close();
    // The result need not wait until the watchdog has been told.
    setImmediate(launched.release);
    assertEnded(end, plan, backend);
    const { text, read } = watched.report();
    const plain: CheckedEnd = {
      ...(read.usage !== undefined && { usage: read.usage }),
      ...(seen !== undefined && { cpuTimeSeen: seen }),
      verdict: (stderr) => plan.interpret({ ...end, report: text, stderr }),
      enforced() {
        if (bared !== undefined) throw bared;
        return checker.enforced();
      },
    };
    return group === undefined ? plain : withStats(plain, group, true);
  });
  const remove = async (): Promise<void> => {
    try {
      await launched.undo();
    } finally {
      await group?.end();
    }
  };
  const { startedAt, streams } = launched;
  const { signal, isStarting, kill } = watched;
  return { startedAt, streams, ended, remove, signal, isStarting, kill };
}

/** Node starts programs with text only. */
function asText(word: Word, index: number): string {
  if (typeof word === "string") return word;
  const path = `command[${index}]`;
  throw new SandboxError("CONFIG_INVALID", `${path}: is not UTF-8, and a tool cannot be given it`, {
    path,
    hint: "Use the backend namespaces, whose launcher takes bytes.",
  });
}

function orEnd<Value>(group: Group | undefined, attempt: () => Value): Value {
  try {
    return attempt();
  } catch (error) {
    void group?.end().catch(() => undefined);
    throw error;
  }
}

function assertEnded(
  { error, survived, unreadable }: ToolEnd,
  { argv }: ToolPlan,
  backend: string,
): void {
  if (error !== undefined) {
    throw new SandboxError("LAUNCH_FAILED", `${argv[0]} cannot be started: ${error.message}`, {
      cause: error,
    });
  }
  if (survived) throw stuck();
  if (unreadable !== undefined) {
    const message = `the backend ${backend} cannot read what its tool reports: ${unreadable.message}`;
    throw new SandboxError("BACKEND_INVALID", message, {
      backend,
      hint: "Tell its author.",
      cause: unreadable,
    });
  }
}

/**
 * Node's `ignore` is the host's null device, and its owner can change its mode through any fd. If that is the caller, the
 * program gets pipes instead: one that has ended as standard input, and outputs that this process drains.
 */
function withoutNull({ stdin, stdout, stderr, ...rest }: StdioTargets): StdioTargets {
  const isOwner = process.geteuid?.() === 0 || statSync("/dev/null").uid === process.geteuid?.();
  const other = <AnyWire>(wire: AnyWire): AnyWire | "relay" =>
    isOwner && wire === "discard" ? "relay" : wire;
  return { ...rest, stdin: other(stdin), stdout: other(stdout), stderr: other(stderr) };
}
