import { readCommandLine } from "./command-line.js";
import { isFatal } from "./fatal.js";
import { HELP, VERSION } from "./help.js";

/** Runs the command line of this process. Nothing else reads its arguments or sets its exit code. */
export async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const texts = process.argv.slice(2);
  const line = readCommandLine(texts);
  if (isFatal(line)) return fail(line.fatal);
  if (line === "help" || line === "version") {
    process.stdout.write(line === "help" ? HELP : VERSION);
    return;
  }
  // The library is loaded only here, so that `--help` and wrong arguments need not wait for it.
  const { run } = await import("./run.js");
  const ended = await run(line, texts);
  if (isFatal(ended)) return fail(ended.fatal);
  process.exitCode = ended.exitCode;
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
