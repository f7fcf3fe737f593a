import type { LauncherPlan } from "../../backend/plan.js";
import type { StdioTargets, WindowSize } from "../../backend/running.js";
import type { Word } from "../../config/text.js";
import { now } from "../../host/lazily.js";
import { openStdio } from "../open-stdio.js";
import type { Prepared } from "../prepared.js";
import type { Started } from "../started.js";
import type { Channel } from "./channel.js";
import { type Command, type Stream, streamsOf } from "./command.js";
import { enterCgroup } from "./enter-cgroup.js";
import { type KeepAlive, keepAlive } from "./keep-alive.js";
import { LiveSandbox } from "./live-sandbox.js";
import { ownLauncher } from "./own-launcher.js";
import { hangUpAfterOutput, onlyCommand, runningOn, streamsOn } from "./run.js";

/** A sandbox that waits for its command. */
export interface IdleSandbox {
  readonly live: LiveSandbox<Channel>;
  /** Keeps this process alive, which it does not do by itself. */
  readonly hold: KeepAlive;
  /** Whether the streams of its command can be had at once. */
  readonly hasStreams: () => boolean;
  /**
   * Starts its command, where it {@link hasStreams}.
   *
   * @throws SandboxError `LAUNCH_FAILED`; what goes wrong later rejects `ended`.
   */
  readonly spawn: (
    argv: readonly Word[],
    targets: StdioTargets,
    window: WindowSize | undefined,
  ) => Started;
  /** Starts its command. Resolves when its streams are there. */
  readonly run: (
    argv: readonly Word[],
    targets: StdioTargets,
    window: WindowSize | undefined,
    signal: AbortSignal | undefined,
  ) => Promise<Started>;
  /** For one that gets no command: closes what this process has of its streams. */
  readonly drop: () => void;
}

/**
 * Starts a launcher of this process's own, whose command comes later.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export function idleOwn(prepared: Prepared<LauncherPlan>): IdleSandbox {
  const { plan, host } = prepared;
  const stdio = openStdio({ stdin: "pipe", stdout: "pipe", stderr: "pipe" }, host);
  try {
    const entered = enterCgroup(prepared, false);
    const open = ownLauncher(plan, entered.setup, [...stdio.slots, "pipe"]);
    const live = new LiveSandbox(prepared, entered, "run", open);
    const { child } = live.channel;
    const streams = { ...streamsOn(child), ...stdio.take() };
    const spawn: IdleSandbox["spawn"] = (argv, targets, window) => {
      const command = onlyCommand(prepared, argv, ownStreams(targets), targets, window);
      return hangUpAfterOutput(live, command, runningOn(live, command, streams, now()));
    };
    return {
      live,
      hold: keepAlive(child, streams),
      hasStreams: () => true,
      spawn,
      run: async (argv, targets, window) => spawn(argv, targets, window),
      drop() {
        for (const stream of Object.values(streams)) stream?.destroy();
      },
    };
  } finally {
    stdio.close();
  }
}

/** The standard streams of a command whose launcher has its pipes already. */
export function ownStreams(targets: StdioTargets): Command["streams"] {
  const streams = streamsOf(targets).map((stream): Stream => (stream === "pipe" ? "own" : stream));
  return streams as unknown as Command["streams"];
}
