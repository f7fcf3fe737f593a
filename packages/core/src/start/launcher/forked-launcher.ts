import type { LauncherPlan } from "../../backend/plan.js";
import type { Streams } from "../../backend/running.js";
import { signalName } from "../../result/signal.js";
import { type Channel, channelOver, type LauncherEnd, type Open } from "./channel.js";
import type { LaunchRequest } from "./fork-server.js";
import { forkServer } from "./fork-servers.js";
import type { KeepAlive } from "./keep-alive.js";
import type { Pipes, ServerMessage } from "./message.js";
import { launcherEnd } from "./own-launcher.js";
import { openStreams } from "./pipes.js";
import { namespaceBits } from "./setup.js";

/** The channel to a launcher that a fork server has started. */
export interface ForkedChannel extends Channel {
  /** Whether it has streams that can be opened. */
  readonly hasBegun: () => boolean;
  /** Calls back as soon as it has, unless it cannot be started. The callback must not throw. */
  readonly whenBegun: (act: () => void) => void;
  /**
   * Opens our ends of its standard streams, once, and gives up those that are not wanted.
   *
   * @throws SandboxError `LAUNCH_FAILED`
   */
  readonly openStreams: (wanted: LaunchRequest["pipes"]) => Streams;
  /** Keeps the program of its command from beginning. */
  readonly forbid: () => void;
  /** Keeps this process alive. */
  readonly hold: KeepAlive;
}

/** A launcher that a fork server can be told to start. */
export interface ForkedLauncher {
  /** What its command is to be called. */
  readonly id: number;
  readonly open: Open<ForkedChannel>;
}

/** @throws SandboxError `LAUNCH_FAILED` when there is no fork server. */
export function forkedLauncher(
  plan: LauncherPlan,
  how: Pick<LaunchRequest, "pipes" | "waits">,
): ForkedLauncher {
  const server = forkServer(plan);
  const id = server.nextId();
  const open: Open<ForkedChannel> = (initialBytes, onMessage) => {
    const pipes = new BegunPipes(() => server.opened(id));
    let isOpen = true;
    let settle: (end: LauncherEnd) => void = () => undefined;
    const ended = new Promise<LauncherEnd>((resolve) => {
      settle = resolve;
    });
    const lose = (end: LauncherEnd): void => {
      isOpen = false;
      pipes.giveUp();
      settle(end);
    };
    const hear = (message: ServerMessage): void => {
      if (message.type === "said") take(message.bytes);
      else if (message.type === "gone") lose(waited(message.status));
      else if (message.type === "failed") {
        onMessage({ ...message, id: 0 });
        lose({ how: "was not started", wasKilled: false });
      } else if (message.type === "began") pipes.begin(message.fds);
    };
    const namespaces = namespaceBits(plan.setup);
    server.start({ ...how, id, namespaces, initialBytes: initialBytes() }, { hear, lose });
    const line = {
      write: (bytes: Buffer) => server.write(id, bytes),
      end: () => server.end(id),
      isOpen: () => isOpen && server.isOpen(),
      ended,
    };
    const { channel, take } = channelOver(line, plan.argv[0], onMessage);
    return {
      ...channel,
      hasBegun: () => pipes.hasBegun(),
      whenBegun: (act) => pipes.whenBegun(act),
      openStreams: (wanted) => pipes.open(server.pid, wanted),
      forbid: () => server.forbid(id),
      hold: () => server.hold(),
    };
  };
  return { id, open };
}

/** The pipes of a launcher, which the server holds until they are given up. */
class BegunPipes {
  readonly #giveUp: () => void;
  readonly #waiting: (() => void)[] = [];
  #fds: Pipes["fds"] | undefined;

  constructor(giveUp: () => void) {
    this.#giveUp = giveUp;
  }

  begin(fds: Pipes["fds"]): void {
    this.#fds = fds;
    for (const act of this.#waiting.splice(0)) act();
  }

  hasBegun(): boolean {
    return this.#fds !== undefined;
  }

  whenBegun(act: () => void): void {
    if (this.hasBegun()) act();
    else this.#waiting.push(act);
  }

  open(server: number | undefined, wanted: LaunchRequest["pipes"]): Streams {
    const fds = (this.#fds ?? []).map((fd, index) => (wanted[index] === true ? fd : -1));
    try {
      return openStreams(server, fds as unknown as Pipes["fds"]);
    } finally {
      this.giveUp();
    }
  }

  giveUp(): void {
    if (this.#fds !== undefined) this.#giveUp();
    this.#fds = undefined;
  }
}

/** As wait(2) has it. */
function waited(status: number): LauncherEnd {
  const number = status & 127;
  return number === 0
    ? launcherEnd((status >> 8) & 255, null)
    : launcherEnd(null, signalName(number));
}
