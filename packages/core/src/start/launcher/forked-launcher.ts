import type { LauncherPlan, LauncherSetup } from "../../backend/plan.js";
import type { Streams } from "../../backend/running.js";
import { signalName } from "../../result/signal.js";
import { type Channel, channelOver, type LauncherEnd, type Open } from "./channel.js";
import type { Order } from "./fork-server.js";
import { forkServer } from "./fork-servers.js";
import { launcherEnd } from "./own-launcher.js";
import { openStreams } from "./pipes.js";
import type { Served } from "./served.js";
import { namespaceBits } from "./setup.js";

/**
 * Has the fork server start a launcher.
 *
 * @param onStreams - Called once when there is one, to open our ends of its standard streams. It must not throw.
 */
export function forkedLauncher(
  plan: LauncherPlan,
  setup: LauncherSetup,
  pipes: Order["pipes"],
  onStreams: (open: () => Streams) => void,
): Open<Channel> {
  return (greeting, onMessage) => {
    const server = forkServer(plan);
    let isOpen = true;
    let settle: (end: LauncherEnd) => void = () => undefined;
    const ended = new Promise<LauncherEnd>((resolve) => {
      settle = resolve;
    });
    const lose = (end: LauncherEnd): void => {
      isOpen = false;
      settle(end);
    };
    const hear = (message: Served): void => {
      if (message.type === "said") take(message.bytes);
      else if (message.type === "gone") lose(waited(message.status));
      else if (message.type === "failed") {
        onMessage({ ...message, id: 0 });
        lose({ how: "was not started", wasKilled: false });
      } else {
        onStreams(() => openStreams(server.pid, message.fds));
        server.opened(id);
      }
    };
    const namespaces = namespaceBits(setup);
    const id = server.start({ namespaces, pipes, greeting }, { hear, lose });
    const line = {
      write: (bytes: Buffer) => server.write(id, bytes),
      end: () => server.end(id),
      isOpen: () => isOpen && server.isOpen(),
      ended,
    };
    const { channel, take } = channelOver(line, plan.argv[0], onMessage);
    return channel;
  };
}

/** As wait(2) has it. */
function waited(status: number): LauncherEnd {
  const number = status & 127;
  return number === 0
    ? launcherEnd((status >> 8) & 255, null)
    : launcherEnd(null, signalName(number));
}
