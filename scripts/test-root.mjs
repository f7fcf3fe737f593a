// Some tests mount. As root on Linux they run in a mount namespace of their own, so that no mount
// reaches the host, whatever happens to a test. Arguments are handed on to vitest.
import { spawnSync } from "node:child_process";
import { runVitest } from "./lib/vitest.mjs";

const unshare = ["unshare", "--mount", "--propagation", "private", "--"];

process.exitCode = await runVitest({ prefix: prefix(), args: process.argv.slice(2) });

function prefix() {
  if (process.platform !== "linux" || process.getuid() !== 0) return [];
  const [file, ...args] = [...unshare, "true"];
  if (spawnSync(file, args).status === 0) return unshare;
  console.log("test-root: unshare does not work here, so tests that mount do it on the host");
  return [];
}
