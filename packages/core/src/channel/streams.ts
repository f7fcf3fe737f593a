import { isFed } from "../launch/feed.js";
import type { OutputOption, StdinOption, StdioOptions } from "../launch/stdio.js";
import type { Stream } from "./command.js";

/** How the launcher is to make the standard streams of a command in a session. */
export function streamsOf({
  stdin = "discard",
  stdout = "capture",
  stderr = "capture",
}: StdioOptions): readonly [Stream, Stream, Stream] {
  return [
    inputStream(stdin),
    outputStream(stdout),
    stderr === "stdout" ? "merged" : outputStream(stderr),
  ];
}

/** The options of those streams alone that are fds of this process: nothing else needs a courier. */
export function courierOptions(options: StdioOptions): StdioOptions {
  const [stdin, stdout, stderr] = streamsOf(options);
  return {
    stdin: stdin === "courier" ? options.stdin : "discard",
    stdout: stdout === "courier" ? options.stdout : "discard",
    stderr: stderr === "courier" ? options.stderr : "discard",
  };
}

function inputStream(option: StdinOption): Stream {
  if (option === "discard") return "discard";
  return option === "pipe" || isFed(option) ? "pipe" : "courier";
}

function outputStream(option: OutputOption): Stream {
  if (option === "discard") return "discard";
  return option === "pipe" || option === "capture" ? "pipe" : "courier";
}
