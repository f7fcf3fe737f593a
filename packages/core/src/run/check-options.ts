import type { WindowSize } from "../backend/running.js";
import { checkSignal, invalidOption, refuseUnknown } from "../config/options.js";
import { asText, brokenWord, exactText, shown, type Word } from "../config/text.js";
import type { RunOptions } from "./options.js";

/**
 * The argument vector to run.
 *
 * @throws SandboxError `CONFIG_INVALID`
 */
export function commandOf(argv: readonly Word[] | undefined): readonly Word[] {
  if (argv === undefined || (Array.isArray(argv) && argv.length === 0)) {
    const hint = "Set `command` in the config, or give the run its own.";
    throw invalidOption("command", "there is none to run", hint);
  }
  if (!Array.isArray(argv)) throw invalidOption("command", `${shown(argv)} is no list`, HINT_WORDS);
  for (const [index, word] of (argv as readonly unknown[]).entries()) {
    const broken = brokenWord(word);
    if (broken === undefined) continue;
    throw invalidOption(`command[${index}]`, `${shown(word)} ${broken}`);
  }
  return (argv as readonly Word[]).map(asText);
}

const HINT_WORDS =
  'Give each word by itself: ["ls", "-l"]. A line for a shell is ["sh", "-c", "ls -l"].';

/** The names of the options of a run. */
export const RUN_OPTIONS: Readonly<Record<keyof RunOptions, true>> = {
  stdin: true,
  stdout: true,
  stderr: true,
  passFds: true,
  signal: true,
  maxOutput: true,
  tty: true,
};

/**
 * Checks the options of a run, and refuses those that there are not.
 *
 * @param known - The names of those that there are.
 * @throws SandboxError `CONFIG_INVALID`
 */
export function checkedOptions<Options extends RunOptions>(
  options: Options,
  known: Readonly<Record<keyof Options, true>> = RUN_OPTIONS as never,
): Options {
  refuseUnknown(options, known);
  const { maxOutput = 0, stdin, signal, passFds = [] } = options;
  if (!Number.isSafeInteger(maxOutput) || maxOutput < 0)
    throw invalidOption("maxOutput", `${String(maxOutput)} is not a number of bytes`);
  if (!Array.isArray(passFds) || !passFds.every((fd) => Number.isInteger(fd) && fd > 2))
    throw invalidOption("passFds", `${shown(passFds)} is no list of fds above 2`);
  checkSignal(signal);
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
  if (isPlain(option) && isSource(name, option)) return;
  if (ArrayBuffer.isView(option))
    throw invalidOption(name, "bytes are none of its values", hintFor(name, "data"));
  if (isIterable(option))
    throw invalidOption(name, "a stream is none of its values", hintFor(name, "stream"));
  throw invalidOption(name, `${given(option)} is none of its values`, hintFor(name));
}

function hintFor(name: keyof typeof WORDS, key?: "data" | "stream"): string {
  if (key !== undefined && name === "stdin") return `Give it as \`{ ${key} }\`.`;
  const objects =
    name === "stdin" ? "{ data }, { stream }, { file } or { fd }" : "{ file } or { fd }";
  return `It is one of ${WORDS[name].join(", ")}, ${objects}.`;
}

/** Never what it holds: there may be much, and it may be secret. */
function given(option: unknown): string {
  if (typeof option === "string") return shown(option.slice(0, 40));
  return option === null ? "null" : typeof option;
}

/** Whether it is an object with names for its values: not bytes, a list or a stream, which may have millions. */
function isPlain(option: unknown): option is object {
  if (typeof option !== "object" || option === null || ArrayBuffer.isView(option)) return false;
  return !(Symbol.iterator in option) && !(Symbol.asyncIterator in option);
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
  const stream = (["stdin", "stdout", "stderr"] as const).find(
    (name) => options?.[name] === "pipe",
  );
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
