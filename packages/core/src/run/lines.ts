import type { Readable } from "node:stream";
import { checkKinds, KINDS } from "../config/kinds.js";
import { SandboxError } from "../result/error.js";
import { assertOutput } from "../result/result.js";
import { chunkBuffer } from "./capture.js";

/** How an output is cut into lines. */
export interface LinesOptions {
  /** The most bytes that a line may have, without what ends it. Default: 16 MiB. */
  readonly maxLength?: number | undefined;
}

/**
 * The lines of an output as they come: text without the `\n` or `\r\n` that ended it, and a last one that nothing
 * ended. Bytes that are not UTF-8 become U+FFFD; a lone `\r` stays. To stop early destroys the stream, and the program
 * can write no more.
 *
 * @throws SandboxError `CONFIG_INVALID` when the output is no pipe, and for a wrong option; a longer line fails the iteration with
 * `STREAM_FAILED`.
 */
export function linesOf(
  output: "stdout" | "stderr",
  stream: Readable | null,
  options: LinesOptions = {},
): AsyncGenerator<string, undefined, undefined> {
  assertOutput(output);
  checkKinds(options, { maxLength: KINDS.bytes });
  const { maxLength = DEFAULT_MAX_LENGTH } = options;
  if (stream === null) throw noPipe(output);
  // With a listener, Node keeps the data for an iteration that begins only when the program has ended.
  stream.on("readable", () => undefined);
  return cut(output, stream, maxLength);
}

const DEFAULT_MAX_LENGTH = 16 * 1024 * 1024;
const [LF, CR] = [10, 13] as const;

async function* cut(
  output: string,
  stream: Readable,
  maxLength: number,
): AsyncGenerator<string, undefined, undefined> {
  let held = chunkBuffer();
  let length = 0;
  const count = (more: number): void => {
    length += more;
    // One byte more is allowed, as it may be the `\r` that ends the line.
    if (length > maxLength + 1) throw tooLong(output, maxLength);
  };
  const take = (last: Buffer, isEnded: boolean): string => {
    count(last.length);
    const line = length === last.length ? last : Buffer.concat([...held.all(), last]);
    const end = isEnded && line.at(-1) === CR ? line.length - 1 : line.length;
    if (end > maxLength) throw tooLong(output, maxLength);
    if (length > last.length) held = chunkBuffer();
    length = 0;
    return line.toString("utf8", 0, end);
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
      const last = chunk.subarray(from, at);
      from = at + 1;
      yield take(last, true);
    }
    if (from === chunk.length) continue;
    count(chunk.length - from);
    held.add(chunk.subarray(from));
  }
  if (length > 0) yield take(Buffer.alloc(0), false);
  return undefined;
}

function noPipe(output: string): SandboxError {
  return new SandboxError("CONFIG_INVALID", `${output}: it is no pipe, so there are no lines`, {
    path: output,
    hint: 'Leave the option out of `spawn`, or set it to "pipe".',
  });
}

function tooLong(output: string, maxLength: number): SandboxError {
  return new SandboxError("STREAM_FAILED", `${output}: a line has more than ${maxLength} bytes`, {
    path: output,
    hint: "Give `lines` a larger `maxLength`, or read the stream itself.",
  });
}
