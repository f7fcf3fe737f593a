import { brokenWord, exactText, textOf, type Word } from "../config/text.js";
import { SandboxError } from "../result/error.js";
import type { RunOptions } from "./options.js";
import { windowOf } from "./terminal.js";

/**
 * The argument vector to run.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function commandOf(argv: readonly Word[] | undefined): readonly Word[] {
  if (argv === undefined || argv.length === 0) {
    throw new SandboxError("CONFIG_INVALID", "command: there is none to run", {
      path: "command",
      hint: "Set `command` in the config, or give the run its own.",
    });
  }
  for (const [index, word] of (argv as readonly unknown[]).entries()) {
    const broken = brokenWord(word);
    if (broken === undefined) continue;
    const path = `command[${index}]`;
    throw new SandboxError("CONFIG_INVALID", `${path}: ${JSON.stringify(word)} ${broken}`, {
      path,
    });
  }
  return argv.map(textOf);
}

/** @throws SandboxError `CONFIG_INVALID` */
export function checkedOptions<Options extends RunOptions>(options: Options): Options {
  const { maxOutput = 0, stdin, signal } = options;
  if (!Number.isSafeInteger(maxOutput) || maxOutput < 0) {
    const message = `maxOutput: ${String(maxOutput)} is not a number of bytes`;
    throw new SandboxError("CONFIG_INVALID", message, { path: "maxOutput" });
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw new SandboxError("CONFIG_INVALID", "signal: it is no AbortSignal", { path: "signal" });
  for (const name of ["stdin", "stdout", "stderr"] as const) checkStream(name, options[name]);
  if (typeof stdin === "object" && "stream" in stdin && !isIterable(stdin.stream)) {
    const message = "stdin: its `stream` cannot be iterated with `for await`";
    throw new SandboxError("CONFIG_INVALID", message, { path: "stdin" });
  }
  return options;
}

const WORDS = {
  stdin: ["discard", "inherit", "pipe"],
  stdout: ["capture", "pipe", "inherit", "discard"],
  stderr: ["capture", "pipe", "inherit", "discard", "stdout"],
} as const;

function checkStream(name: keyof typeof WORDS, option: unknown): void {
  const words: readonly unknown[] = WORDS[name];
  if (option === undefined || words.includes(option)) return;
  if (typeof option === "object" && option !== null && isSource(name, option)) return;
  const given = typeof option === "string" ? JSON.stringify(option.slice(0, 40)) : typeof option;
  const objects =
    name === "stdin" ? "{ data }, { stream }, { file } or { fd }" : "{ file } or { fd }";
  throw new SandboxError("CONFIG_INVALID", `${name}: ${given} is none of its values`, {
    path: name,
    hint: `It is one of ${words.join(", ")}, ${objects}.`,
  });
}

/** Whether an object names exactly one source or destination, and a valid one. */
function isSource(name: keyof typeof WORDS, option: object): boolean {
  const [[key, value] = [], ...others] = Object.entries(option) as [string, unknown][];
  if (others.length > 0) return false;
  if (key === "fd") return Number.isInteger(value) && Number(value) >= 0;
  if (key === "file") return typeof value === "string" && exactText(value) === undefined;
  if (name !== "stdin") return false;
  return (
    key === "stream" ||
    (key === "data" && (typeof value === "string" || value instanceof Uint8Array))
  );
}

function isIterable(stream: unknown): boolean {
  return typeof stream === "object" && stream !== null && Symbol.asyncIterator in stream;
}

/**
 * Refuses pipes for a run that only resolves with its result: nobody could read or write them, and the program would wait
 * for ever.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function refusePipes(options: RunOptions): void {
  const stream = (["stdin", "stdout", "stderr"] as const).find((name) => options[name] === "pipe");
  if (stream === undefined) return;
  throw new SandboxError("CONFIG_INVALID", `${stream}: a run has no stream to give for "pipe"`, {
    path: stream,
    hint: "Use spawn, which returns the streams, or capture the output.",
  });
}

/** What `spawn` gives its streams by default; a terminal has no standard error of its own. */
export function piped<Options extends RunOptions>(options?: Options): Options & RunOptions {
  const isTerminal = windowOf(options?.tty) !== undefined;
  return { ...PIPES, ...(isTerminal && { stderr: "stdout" }), ...options } as Options & RunOptions;
}

const PIPES = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;
