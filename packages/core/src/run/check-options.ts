import type { WindowSize } from "../backend/running.js";
import { brokenWord, exactText, textOf, type Word } from "../config/text.js";
import { SandboxError } from "../result/error.js";
import type { RunOptions } from "./options.js";

/**
 * The argument vector to run.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function commandOf(argv: readonly Word[] | undefined): readonly Word[] {
  if (argv === undefined || argv.length === 0) {
    const hint = "Set `command` in the config, or give the run its own.";
    throw invalidOption("command", "there is none to run", hint);
  }
  for (const [index, word] of (argv as readonly unknown[]).entries()) {
    const broken = brokenWord(word);
    if (broken === undefined) continue;
    throw invalidOption(`command[${index}]`, `${JSON.stringify(word)} ${broken}`);
  }
  return argv.map(textOf);
}

/** @throws SandboxError `CONFIG_INVALID` */
export function checkedOptions<Options extends RunOptions>(options: Options): Options {
  const { maxOutput = 0, stdin, signal } = options;
  if (!Number.isSafeInteger(maxOutput) || maxOutput < 0)
    throw invalidOption("maxOutput", `${String(maxOutput)} is not a number of bytes`);
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw invalidOption("signal", "it is no AbortSignal");
  for (const name of ["stdin", "stdout", "stderr"] as const) checkStream(name, options[name]);
  if (typeof stdin === "object" && "stream" in stdin && !isIterable(stdin.stream))
    throw invalidOption("stdin", "its `stream` cannot be iterated with `for await`");
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
  const hint = `It is one of ${words.join(", ")}, ${objects}.`;
  throw invalidOption(name, `${given} is none of its values`, hint);
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
  const hint = "Use spawn, which returns the streams, or capture the output.";
  throw invalidOption(stream, 'a run has no stream to give for "pipe"', hint);
}

/** What `spawn` gives its streams by default; a terminal has no standard error of its own. */
export function piped<Options extends RunOptions>(options?: Options): Options & RunOptions {
  const isTerminal = windowOf(options?.tty) !== undefined;
  return { ...PIPES, ...(isTerminal && { stderr: "stdout" }), ...options } as Options & RunOptions;
}

const PIPES = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;

/** The size of the terminal that is asked for: 80 x 24 for `true`, undefined for none. */
export function windowOf(tty: boolean | WindowSize | null | undefined): WindowSize | undefined {
  if (tty === undefined || tty === false) return undefined;
  if (tty === null) throw invalidOption("tty", "null is neither true or false nor a size");
  const size = tty === true ? { columns: 80, rows: 24 } : tty;
  assertWindow(size);
  return size;
}

/** @throws SandboxError `CONFIG_INVALID` for a size that no terminal can have. */
export function assertWindow({ columns, rows }: WindowSize): void {
  for (const [name, value] of Object.entries({ columns, rows })) {
    if (Number.isInteger(value) && value >= 0 && value <= MOST) continue;
    throw invalidOption(`tty.${name}`, `${String(value)} is not a whole number from 0 to ${MOST}`);
  }
}

const MOST = 65_535;

/** What is wrong with an option of a run, as `CONFIG_INVALID`. */
export function invalidOption(path: string, what: string, hint?: string): SandboxError {
  return new SandboxError("CONFIG_INVALID", `${path}: ${what}`, {
    path,
    ...(hint !== undefined && { hint }),
  });
}
