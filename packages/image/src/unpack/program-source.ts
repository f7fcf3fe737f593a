import { startHelper } from "./helper.js";
import type { Source } from "./source.js";

/**
 * The standard output of a tool of the host. The tool runs in a sandbox, in which it can write nothing else.
 *
 * @param reads - The file or directory that the tool reads.
 * @param size - The bytes of the image file.
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
