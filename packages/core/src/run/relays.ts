import type { Streams } from "../backend/running.js";
import type { Limits } from "../config/schema.js";
import type { StdioOptions } from "./options.js";
import type { Stop } from "./outcome.js";
import { type Relay, relay } from "./relay.js";
import type { Sinks } from "./stdio.js";

/** Everything that is copied, or thrown away, of what a program writes. */
export function startRelays(
  streams: Streams,
  { stdout, stderr }: StdioOptions,
  sinks: Sinks,
  { fileSize }: Limits,
  onStop: (reason: Stop) => void,
): Relay {
  const relays = (["stdout", "stderr"] as const).flatMap((name) => {
    const [stream, fd] = [streams[name], sinks[name]];
    return stream === null || fd === undefined ? [] : [relay(name, stream, fd, fileSize, onStop)];
  });
  const discarded = [
    isDiscarded(stdout, sinks.stdout) ? streams.stdout : null,
    isDiscarded(stderr, sinks.stderr) ? streams.stderr : null,
  ];
  for (const stream of discarded) stream?.on("error", () => undefined).resume();
  return {
    async drained() {
      const reasons = await Promise.all(relays.map((each) => each.drained()));
      return reasons.find((reason) => reason !== undefined);
    },
    async cut() {
      for (const stream of discarded) stream?.destroy();
      await Promise.all(relays.map((each) => each.cut()));
    },
  };
}

/** Nobody else reads it. */
function isDiscarded(
  option: StdioOptions["stderr"] = "capture",
  sink: number | undefined,
): boolean {
  return sink === undefined && option !== "capture" && option !== "pipe";
}
