// Runs the kit's cases that have this part in their title, for one backend, from the sources: nothing is built.
//
//     pnpm case BACKEND "part of a title"
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ownMounts, runVitest } from "./lib/vitest.mjs";

const [backend = "", part = ""] = process.argv.slice(2);
const reporter = join(import.meta.dirname, "lib/none-is-a-failure.mjs");

if (part === "" || !existsSync(join(import.meta.dirname, "../packages", `backend-${backend}`))) {
  console.error(
    'usage: pnpm case BACKEND "part of a title", of a backend in packages/backend-BACKEND',
  );
  process.exitCode = 2;
} else {
  // vitest takes a regular expression for the title.
  const title = part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const which = ["conformance", "--project", `backend-${backend}`, "-t", title];
  const how = ["--reporter=verbose", "--hideSkippedTests", `--reporter=${reporter}`];
  process.exitCode = await runVitest({ prefix: await ownMounts(), args: [...which, ...how] });
}
