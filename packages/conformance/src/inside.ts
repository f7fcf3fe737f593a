import type { Readable } from "node:stream";
import type { ConfigInput } from "@sandboxlib/core";
import { nextText } from "./check.js";
import type { Context } from "./context.js";
import { programWith } from "./host/processes.js";

const READY = "ready to be looked at\n";

/**
 * Runs a script, and looks at its shell while that waits: at what it has said, and at the process from the host, where it
 * is one of this host's. A backend without a procfs can be seen through that way.
 */
export async function whileInside(
  context: Context,
  script: string | readonly [string, ...string[]],
  config: ConfigInput,
  look: (out: string, pid: number | undefined) => void | Promise<void>,
): Promise<void> {
  const [text, ...args] = typeof script === "string" ? [script] : script;
  const words = [`${text}; printf '${READY.trimEnd()}\\n'; read end; exit 0`, ...args] as const;
  const child = await context.spawn(words as [string, ...string[]], config);
  const out = await untilReady(child.stdout);
  child.stdout?.resume();
  child.stderr?.resume();
  await look(out, programWith(context.marker));
  child.stdin?.end();
  await child.result;
}

async function untilReady(stream: Readable | null): Promise<string> {
  let text = "";
  while (!text.endsWith(READY)) text += await nextText(stream);
  return text.slice(0, -READY.length);
}
