import { answerOf, broken, thrownBy } from "../../backend/broken.js";
import type { EngineCommand, EnginePlan, EngineStdio } from "../../backend/plan.js";
import type {
  Ended,
  Running,
  StdioTarget,
  StdioTargets,
  Streams,
  WindowSize,
} from "../../backend/running.js";
import type { Word } from "../../config/text.js";
import { now } from "../../host/lazily.js";
import { recheckPaths } from "../../paths/resolve-paths.js";
import { SandboxError } from "../../result/error.js";
import { numberOf } from "../../result/signal.js";
import { Checker } from "../../verify/checker.js";
import { refusePassFds } from "../open-stdio.js";
import type { Prepared } from "../prepared.js";
import type { CheckedEnd, Started } from "../started.js";
import { checkedVerdict } from "../verdict.js";

/** Milliseconds that an engine may take to end what it was told to kill. */
const KILL_LIMIT = 10_000;

/**
 * Runs a program with an engine. What the engine answers is checked, as it may be somebody else's code.
 *
 * @throws SandboxError what the engine throws, `BACKEND_INVALID` where it answers with no {@link Running},
 * `CONFIG_INVALID` for `passFds`; what goes wrong later rejects `ended`.
 */
export function startEngine(
  prepared: Prepared<EnginePlan>,
  argv: readonly Word[],
  targets: StdioTargets,
  window: WindowSize | undefined,
): Started {
  const { plan, backend } = prepared;
  recheckPaths(prepared.config);
  refusePassFds(targets, `the engine of ${backend}`);
  const stdio = stdioOf(targets);
  const command = { argv: argv as EngineCommand["argv"], window };
  const startedAt = now();
  const running = answerOf(backend, ENGINE, () => {
    const begun = plan.start(plan.request, command, stdio);
    assertRunning(backend, begun);
    return begun;
  });
  const { ended, fail, expectEnd } = endOf(backend, running, new Checker(prepared));
  // They are called by timers, where what is thrown would end this process.
  const ask = (act: () => boolean | undefined): boolean => {
    try {
      return act() === true;
    } catch (error) {
      fail(failureOf(backend, error));
      return false;
    }
  };
  const streamsOrKill = (): Streams => {
    try {
      return checkedStreams(backend, running.streams, stdio);
    } catch (error) {
      // The program runs already, and nobody else will ask how it ends.
      ended.catch(() => undefined);
      ask(() => running.kill());
      throw failureOf(backend, error);
    }
  };
  return {
    startedAt,
    streams: streamsOrKill(),
    ended,
    kill() {
      expectEnd();
      return ask(() => running.kill());
    },
    signal(name) {
      numberOf(name);
      return ask(() => running.signal(name));
    },
    isStarting: () => ask(() => running.isStarting?.()),
    remove: async () => removed(backend, running),
    resize: (size) => ask(() => running.resize?.(size)),
  };
}

function assertRunning(backend: string, running: Running): void {
  const isWhole =
    typeof running?.ended?.then === "function" &&
    typeof running.kill === "function" &&
    typeof running.signal === "function" &&
    typeof running.streams === "object";
  if (!isWhole) throw broken(backend, "its engine did not answer with a Running");
}

/** For an engine the caller's fds are copied by this process: see `run/stdio.ts`. */
function stdioOf({ stdin, stdout, stderr }: StdioTargets): EngineStdio {
  const of = (target: StdioTarget): "pipe" | "discard" =>
    target === "discard" ? "discard" : "pipe";
  return {
    stdin: of(stdin),
    stdout: of(stdout),
    stderr: stderr === "stdout" ? "stdout" : of(stderr),
  };
}

function failureOf(backend: string, cause: unknown): SandboxError {
  return thrownBy(backend, ENGINE, cause);
}

const ENGINE = "its engine";

function checkedStreams(backend: string, given: Streams, stdio: EngineStdio): Streams {
  const of = <Name extends keyof Streams>(name: Name): Streams[Name] | null => {
    if (stdio[name] !== "pipe") return null;
    if (given[name] !== null && typeof given[name] === "object") return given[name];
    throw broken(backend, `its engine gave no stream for ${name}`);
  };
  const streams = { stdin: of("stdin"), stdout: of("stdout"), stderr: of("stderr") };
  // Nobody may be listening yet, and an error without a listener would end this process.
  for (const stream of Object.values(streams)) stream?.on("error", () => undefined);
  return streams;
}

/** The end of a program, what makes it a failure, and what is called when it has been told to end at once. */
interface End {
  readonly ended: Promise<CheckedEnd>;
  readonly fail: (error: SandboxError) => void;
  /** The engine may never answer. */
  readonly expectEnd: () => void;
}

function endOf(backend: string, running: Running, checker: Checker): End {
  let fail: End["fail"] = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const ended = new Promise<CheckedEnd>((resolve, reject) => {
    fail = reject;
    Promise.resolve(running.ended)
      .then((end) => resolve(checkedEnd(backend, end, checker)))
      .catch((error: unknown) => reject(failureOf(backend, error)));
  }).finally(() => {
    isOver = true;
    clearTimeout(timer);
  });
  const expectEnd = (): void => {
    if (!isOver) timer ??= setTimeout(() => fail(stuck(backend)), KILL_LIMIT);
  };
  return { ended, fail, expectEnd };
}

function checkedEnd(backend: string, end: Ended, checker: Checker): CheckedEnd {
  if (typeof end?.verdict !== "function")
    throw broken(backend, "its engine does not tell how a program ended");
  const { usage, outOfMemory } = end;
  return {
    ...(usage !== undefined && { usage }),
    ...(outOfMemory !== undefined && { outOfMemory }),
    verdict: (stderr) =>
      checkedVerdict(
        backend,
        answerOf(backend, ENGINE, () => end.verdict(stderr)),
      ),
    enforced: () => checker.enforced(),
  };
}

async function removed(backend: string, running: Running): Promise<void> {
  try {
    await running.remove?.();
  } catch (error) {
    throw failureOf(backend, error);
  }
}

function stuck(backend: string): SandboxError {
  const message = `the engine of ${backend} was told to end the program, and has not said for ${KILL_LIMIT / 1000} s that it has`;
  return new SandboxError("CLEANUP_FAILED", message, {
    backend,
    hint: "Look whether the engine is there, and whether the program still runs in it.",
  });
}
