import { constants } from "node:os";
import type { Word } from "@sandboxlib/core";
import { type CalledAs, cli } from "./cli.js";
import type { Output } from "./output.js";

/** Runs the command line of this process and ends it with its exit code or signal. */
export async function main(calledAs: CalledAs): Promise<void> {
  const io = { stdout: output("stdout"), stderr: output("stderr") };
  const end = await cli(calledAs, await ownWords(), io);
  process.exitCode = typeof end === "number" ? end : 128 + constants.signals[end];
  // A shell ends a loop around us only if the signal has ended us, too, and not with the exit code alone.
  if (typeof end === "string") process.kill(process.pid, end);
}

/** The arguments as bytes, where Node shows U+FFFD for bytes that are not UTF-8. Core is loaded for these only. */
async function ownWords(): Promise<readonly Word[]> {
  const texts = process.argv.slice(2);
  if (!texts.some((text) => text.includes("\ufffd"))) return texts;
  return (await import("./exact-words.js")).exactWords(texts);
}

/** A standard stream, which Node opens when it is asked for: most runs say nothing of their own. */
function output(name: "stdout" | "stderr"): Output {
  let opened: NodeJS.WriteStream | undefined;
  const stream = (): NodeJS.WriteStream => (opened ??= open(name));
  return {
    get live() {
      return stream().isTTY;
    },
    get color() {
      return showsColor(stream());
    },
    get columns() {
      // A terminal whose size nobody has set says 0.
      return stream().isTTY ? stream().columns || undefined : undefined;
    },
    write: (text) => void (text !== "" && stream().write(text)),
  };
}

function open(name: "stdout" | "stderr"): NodeJS.WriteStream {
  const stream = process[name];
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The reader may close the pipe before the end, as in `sandboxlib schema | head`.
    if (error.code !== "EPIPE") writeFailed(stream, error);
  });
  return stream;
}

/** FORCE_COLOR decides, as in other programs for Node; then NO_COLOR, see no-color.org; then what the stream is. */
function showsColor(stream: NodeJS.WriteStream): boolean {
  const { FORCE_COLOR: forced = "", NO_COLOR: none = "", TERM: terminal } = process.env;
  if (forced !== "") return forced !== "0" && forced !== "false";
  return none === "" && stream.isTTY && terminal !== "dumb";
}

/** What was asked for is not there, as on a full disk. The exit code of a program is kept when only a note was lost. */
function writeFailed(stream: NodeJS.WriteStream, { message }: Error): void {
  const isOutput = stream === process.stdout;
  if (isOutput) process.stderr.write(`sandboxlib: standard output cannot be written: ${message}\n`);
  process.once("exit", (code) => {
    if (isOutput || code === 0) process.exitCode = WRITE_FAILED;
  });
}

const WRITE_FAILED = 125;
