// Runs the tests, as root where nothing that they mount can reach the host. Arguments are handed on to vitest.
import { ownMounts, runVitest } from "./lib/vitest.mjs";

process.exitCode = await runVitest({ prefix: await ownMounts(), args: process.argv.slice(2) });
