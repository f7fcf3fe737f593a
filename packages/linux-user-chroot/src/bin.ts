import { readCommandLine } from "./command-line.js";
import { isFatal } from "./fatal.js";
import { HELP, VERSION } from "./help.js";

/** Runs the command line of this process. The one place that touches its arguments, streams and exit code. */
export async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const texts = process.argv.slice(2);
  const line = readCommandLine(texts);
  if (isFatal(line)) return fail(line.fatal);
  if (line === "help" || line === "version") {
    process.stdout.write(line === "help" ? HELP : VERSION);
    return;
  }
  // Only now: neither `--help` nor a mistake has to wait for the library.
  const { run } = await import("./run.js");
  const ended = await run(line, texts);
  if (isFatal(ended)) return fail(ended.fatal);
  process.exitCode = ended.exitCode;
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
