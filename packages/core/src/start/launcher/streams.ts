import type { StdioTarget, StdioTargets } from "../../backend/stdio.js";
import type { Stream } from "./command.js";

/** How the launcher is to make the standard streams of a command in a session. */
export function streamsOf({
  stdin,
  stdout,
  stderr,
}: StdioTargets): readonly [Stream, Stream, Stream] {
  return [streamOf(stdin), streamOf(stdout), stderr === "stdout" ? "merged" : streamOf(stderr)];
}

function streamOf(wire: StdioTarget): Stream {
  if (typeof wire === "number") return "courier";
  return wire === "discard" ? "discard" : "pipe";
}
