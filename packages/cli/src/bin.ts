import { type CalledAs, cli } from "./cli.js";
import type { Output } from "./io.js";

/** Runs the command line of this process. The one place that touches its arguments, streams and exit code. */
export async function main(calledAs: CalledAs): Promise<void> {
  const io = { stdout: output(process.stdout), stderr: output(process.stderr) };
  process.exitCode = await cli(calledAs, process.argv.slice(2), io);
}

function output(stream: NodeJS.WriteStream): Output {
  // Whoever reads has seen enough, as in `sandboxlib schema | head`.
  stream.on("error", () => undefined);
  return {
    color: stream.isTTY && (process.env["NO_COLOR"] ?? "") === "",
    write: (text) => void stream.write(text),
  };
}
