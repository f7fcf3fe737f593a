import { readFileSync } from "node:fs";
import type { Io } from "./output.js";

/** Prints the version of this package. */
export function printVersion({ stdout }: Io): number {
  stdout.write(`${manifest().version}\n`);
  return 0;
}

/** The `package.json` of this package. */
export function manifest(): {
  readonly version: string;
  readonly repository: { readonly url: string };
} {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return JSON.parse(text) as ReturnType<typeof manifest>;
}
