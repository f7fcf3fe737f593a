import { realHost } from "@sandboxlib/core/backend";
import { bare } from "../spawn.mjs";

/** A contender that is a program of the host with options, started as a program without a library does it. */
export function tool(program, optionsFor) {
  return async ({ argv, binds }) => {
    const path = realHost().which(program);
    if (path === undefined) return { skipped: `${program} is not installed` };
    const command = [path, ...optionsFor(binds), ...argv];
    const { stderr, exitCode } = await realHost().run([path, ...optionsFor(binds), "/bin/true"]);
    if (exitCode !== 0) return { skipped: `it fails here: ${stderr.trim()}` };
    return { run: () => bare(command) };
  };
}

/** Options that have no spaces in them. */
export function words(text) {
  return text.split(" ");
}
