import { statSync } from "node:fs";
import { answerOf, broken, thrownBy } from "../../backend/broken.js";
import type { Report, ToolPlan } from "../../backend/plan.js";
import type { StdioTargets, Verdict } from "../../backend/running.js";
import type { Group } from "../../cgroup/group.js";
import { withStats } from "../../cgroup/stats.js";
import type { Word } from "../../config/text.js";
import { onAbort } from "../../host/abort.js";
import { stuck } from "../../host/processes.js";
import { SandboxError } from "../../result/error.js";
import { Checker } from "../../verify/checker.js";
import { masksOf } from "../../verify/masks.js";
import type { Prepared } from "../prepared.js";
import type { CheckedEnd, Started } from "../started.js";
import { checkedVerdict } from "../verdict.js";
import type { Launched } from "./around.js";
import { watchCpuTime } from "./cpu-time.js";
import { canForkTool } from "./fork.js";
import { launch } from "./launch.js";
import { launchForked } from "./launch-forked.js";
import { verifying } from "./verifying.js";
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
  const argv = words.map(asText);
  const group = prepared.openGroup(false);
  const launched = orEnd(group, () => launch(prepared, argv, withoutNull(targets), group));
  return following(prepared, launched, group);
}

/** Whether {@link startToolForked} can be used. */
export function canStartForked(prepared: Prepared<ToolPlan>, targets: StdioTargets): boolean {
  return canForkTool(prepared.plan, targets) && !prepared.hasGroup;
}

/**
 * The same with a fork server, where the caller can wait for the streams.
 *
 * @throws SandboxError as {@link launchForked} does; what goes wrong later rejects `ended`.
 */
export async function startToolForked(
  prepared: Prepared<ToolPlan>,
  words: readonly Word[],
  targets: StdioTargets,
  signal: AbortSignal | undefined,
): Promise<Started> {
  const { startedBy } = prepared.plan;
  if (startedBy === undefined) return startTool(prepared, words, targets);
  const argv = words.map(asText);
  let kill = (): unknown => undefined;
  const given = withoutNull(targets);
  const started = launchForked(prepared, startedBy, argv, given, {
    onServer: (server, id) => {
      kill = () => server.forbid(id);
    },
    isAborted: () => signal?.aborted === true,
  }).then((launched) => {
    const running = following(prepared, launched, undefined);
    kill = () => running.kill();
    return running;
  });
  return started.finally(onAbort(signal, () => void kill()));
}

function following(
  prepared: Prepared<ToolPlan>,
  launched: Launched,
  group: Group | undefined,
): Started {
  const { config, backend } = prepared;
  const masks = masksOf(config);
  const { plan } = launched;
  const checker = new Checker(prepared, launched.tmpfs);
  const watched: Watched = watch(
    launched,
    plan,
    verifying(prepared, launched, checker, () => watched),
  );
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
      verdict(stderr) {
        const told = answerOf(backend, "its interpret", () =>
          plan.interpret({ ...end, report: text, stderr }),
        );
        const verdict = checkedVerdict(backend, told);
        assertReported(verdict, read, plan, backend);
        return verdict;
      },
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
  if (unreadable !== undefined) throw thrownBy(backend, "its readReport", unreadable);
}

/** Signals and the end of a run go to the pid that was reported, so a program that has run without one was out of reach. */
function assertReported(
  { kind }: Verdict,
  { initPid, supervisor }: Report,
  plan: ToolPlan,
  backend: string,
): void {
  if (plan.readReport === undefined || kind === "failed") return;
  if (initPid === undefined && supervisor === undefined)
    throw broken(backend, "its readReport found no pid in all that its tool reported");
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
