import { startHelper } from "./helper.js";
import type { Source } from "./source.js";

/**
 * What a tool of the host writes, read once: the tool runs in a sandbox and can write nothing.
 *
 * @param reads - What it makes that of.
 */
export function programSource(
  argv: readonly [string, ...string[]],
  reads: string,
  size: number,
): Source {
  return { size, read: () => outputOf(argv, reads) };
}

async function* outputOf(
  argv: readonly [string, ...string[]],
  reads: string,
): AsyncGenerator<Buffer, void, undefined> {
  const helper = await startHelper(argv, { reads });
  const { stdin, stdout } = helper.child;
  stdin?.end();
  if (stdout === null) throw new TypeError("the helper has no pipes");
  try {
    for await (const chunk of stdout) yield chunk as Buffer;
  } finally {
    if (!stdout.readableEnded) helper.child.kill("SIGKILL");
  }
  await helper.done();
}
