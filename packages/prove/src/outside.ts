import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { text } from "node:stream/consumers";
import { type Line, linesOf } from "./lines.js";

/** Milliseconds after which an attempt outside is given up. */
const LIMIT = 10_000;

/** Runs the program on the host itself, to its end; returns what it has said. */
export async function outside(
  program: string,
  words: readonly string[],
  stdin: number | "ignore" = "ignore",
): Promise<Line[]> {
  const child = spawn(program, words, {
    cwd: "/",
    env: {},
    stdio: [stdin, "pipe", "ignore"],
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
  const { stdout } = child;
  const [said] = await Promise.all([stdout === null ? "" : text(stdout), once(child, "close")]);
  return linesOf(said);
}

/** The program as a helper on the host's side, until it is closed. */
export class Helper implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: Interface | undefined;
  readonly #said: Line[] = [];
  readonly #ended: Promise<unknown>;

  constructor(program: string, words: readonly string[]) {
    this.#child = spawn(program, words, { cwd: "/", env: {}, stdio: ["pipe", "pipe", "ignore"] });
    const { stdin, stdout } = this.#child;
    this.#ended = once(this.#child, "close");
    this.#ended.catch(() => undefined);
    stdin?.on("error", () => undefined); // it may have ended
    this.#lines = stdout === null ? undefined : createInterface({ input: stdout });
    this.#lines?.on("line", (line) => this.#said.push(...linesOf(line)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** How often it has said a word so far, with this text if one is given. */
  count(word: string, text?: number): number {
    return this.#said.filter(
      (line) => line.word === word && (text === undefined || line.text === String(text)),
    ).length;
  }

  /** What it says with a word, once it does; undefined when it has not said it after a while. */
  async said(word: string): Promise<string | undefined> {
    await until(() => this.count(word) > 0);
    return this.#said.find((line) => line.word === word)?.text;
  }

  /** Whether it says a word with a text so many times, within a while. */
  async hasSaid(word: string, text: number, count: number): Promise<boolean> {
    return until(() => this.count(word, text) >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), LIMIT);
    await this.#ended.catch(() => undefined);
    clearTimeout(timer);
    this.#lines?.close();
  }
}

async function until(isSo: () => boolean): Promise<boolean> {
  const deadline = performance.now() + LIMIT / 2;
  while (!isSo() && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return isSo();
}
