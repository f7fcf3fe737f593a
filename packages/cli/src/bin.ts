import { constants } from "node:os";
import type { Word } from "@sandboxlib/core";
import { type CalledAs, cli } from "./cli.js";
import type { Output } from "./io.js";

/** Runs the command line of this process. The one place that touches its arguments, streams and exit code. */
export async function main(calledAs: CalledAs): Promise<void> {
  const io = { stdout: output(process.stdout), stderr: output(process.stderr) };
  const end = await cli(calledAs, await ownWords(), io);
  process.exitCode = typeof end === "number" ? end : 128 + constants.signals[end];
  // Only so does a shell know that the user wants its loop to end, too.
  if (typeof end === "string") process.kill(process.pid, end);
}

/** Node has put a U+FFFD where bytes are not UTF-8; the library is loaded for these only. */
async function ownWords(): Promise<readonly Word[]> {
  const texts = process.argv.slice(2);
  if (!texts.some((text) => text.includes("\ufffd"))) return texts;
  return (await import("@sandboxlib/core")).exactWords(texts);
}

function output(stream: NodeJS.WriteStream): Output {
  // Whoever reads has seen enough, as in `sandboxlib schema | head`.
  stream.on("error", () => undefined);
  return {
    live: stream.isTTY,
    color: stream.isTTY && (process.env["NO_COLOR"] ?? "") === "",
    write: (text) => void stream.write(text),
  };
}
