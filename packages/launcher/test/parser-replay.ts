import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { isRequired } from "@sandboxlib/test-support";
import { afterAll } from "vitest";

/** What the launcher's parser makes of a frame: `wrong`, or what it has read, with strings in hexadecimal. */
export type Parsed = Readonly<Record<string, unknown>>;

const directory = mkdtempSync(join(tmpdir(), "sandboxlib-parser-"));
const program = join(directory, "replay");
const script = join(import.meta.dirname, "../fuzz/build.sh");

/** Why the parser cannot be tried here, for a title; undefined when it can. */
export const missing: string | undefined = build();

/** Whether to skip; where `SANDBOXLIB_REQUIRE` names the backend, it is run, and fails. */
export const skip: boolean = missing !== undefined && !isRequired("namespaces");

afterAll(() => rmSync(directory, { recursive: true }));

/** Sends bytes to the launcher's own parser, built with ASan and UBSan; rejects with their findings. */
export async function replay(
  mode: "run" | "session",
  ...chunks: readonly Uint8Array[]
): Promise<Parsed[]> {
  const child = spawn(program, [mode], { env: {}, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const core = child.stdio[3] as Socket;
  core.on("error", () => undefined);
  for (const chunk of chunks) core.write(chunk);
  core.end();
  const [lines, findings, [exitCode, signal]] = await Promise.all([
    text(child.stdout as Socket),
    text(child.stderr as Socket),
    once(child, "close"),
  ]);
  if (exitCode !== 0) throw new Error(`${exitCode ?? signal}: ${findings}`);
  return lines
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Parsed);
}

function build(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  const compiler = process.env["CC"] ?? "cc";
  const trial = run(compiler, "-fsanitize=address,undefined", "-xc", "-o", program, "-");
  if (trial !== undefined) return `${compiler} cannot build with ASan and UBSan: ${trial}`;
  const broken = run(program);
  if (broken !== undefined) return `ASan does not work here: ${broken}`;
  const ours = run("sh", script, "replay", program);
  if (ours !== undefined) throw new Error(`the replay program cannot be built: ${ours}`);
  return undefined;
}

/** The first line of what went wrong. */
function run(file: string, ...args: readonly string[]): string | undefined {
  const input = "int main(void) { return 0; }";
  const { error, status, stderr } = spawnSync(file, args, { input, encoding: "utf8" });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim().split("\n")[0];
}
