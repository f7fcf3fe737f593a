import { constants } from "node:os";
import { type CalledAs, cli } from "./cli.js";
import type { Output } from "./io.js";

/** Runs the command line of this process. The one place that touches its arguments, streams and exit code. */
export async function main(calledAs: CalledAs): Promise<void> {
  const io = { stdout: output(process.stdout), stderr: output(process.stderr) };
  const end = await cli(calledAs, process.argv.slice(2), io);
  process.exitCode = typeof end === "number" ? end : 128 + constants.signals[end];
  // Only so does a shell know that the user wants its loop to end, too.
  if (typeof end === "string") process.kill(process.pid, end);
}

function output(stream: NodeJS.WriteStream): Output {
  // Whoever reads has seen enough, as in `sandboxlib schema | head`.
  stream.on("error", () => undefined);
  return {
    live: stream.isTTY,
    color: stream.isTTY && (process.env["NO_COLOR"] ?? "") === "",
    write: (text) => void stream.write(text),
  };
}
