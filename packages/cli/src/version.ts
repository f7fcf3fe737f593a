import { readFileSync } from "node:fs";
import type { Io } from "./output.js";

/** Prints the version of this package. */
export function printVersion({ stdout }: Io): number {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  stdout.write(`${(JSON.parse(text) as { version: string }).version}\n`);
  return 0;
}
