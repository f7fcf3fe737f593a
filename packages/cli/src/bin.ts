import type { CalledAs } from "./cli.js";
import { keepCompiled, useCompiled } from "./compiled.js";

/** Runs the command line of this process and ends it with its exit code or signal. */
export async function main(calledAs: CalledAs): Promise<void> {
  useCompiled();
  await (await import("./main.js")).main(calledAs);
  if (calledAs === "run-sandbox" || process.argv[2] === "run") keepCompiled();
}
