import { type ChildProcess, spawn } from "node:child_process";
import { openSync, statSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { ToolPlan } from "../../backend/plan.js";
import { SandboxError } from "../../result/error.js";

const LIMIT = 10_000;

/** The fds of the clones that were made, by the identity of the file. */
const clones = new Map<string, Promise<number>>();

/**
 * The words of a plan's tool, with a sealed copy in memory in the place of the program that needs one. The copy is made
 * once, and lives as long as this process. Its path holds this process's own pid: a shell or prlimit(1) may come between.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export async function withClone({ argv, clone }: ToolPlan): Promise<ToolPlan["argv"]> {
  if (clone === undefined) return argv;
  return failing(clone, async () =>
    replaced(argv, clone.program, `/proc/${process.pid}/fd/${await fdOf(clone)}`),
  );
}

/**
 * The fds of this process that a plan's tool is to find as fds of its own, by their numbers there.
 *
 * @throws SandboxError `LAUNCH_FAILED`
 */
export async function clonedFds({ fds = {} }: ToolPlan): Promise<ReadonlyMap<number, number>> {
  const found = new Map<number, number>();
  for (const [fd, content] of Object.entries(fds))
    if (typeof content === "object" && "clone" in content)
      found.set(Number(fd), await failing(content.clone, () => fdOf(content.clone)));
  return found;
}

type Clone = NonNullable<ToolPlan["clone"]>;

async function failing<Value>({ program }: Clone, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SandboxError("LAUNCH_FAILED", `${program} cannot be copied into memory: ${why}`, {
      hint: "Run as a user to whom it does not belong, or use another backend, such as namespaces.",
      cause,
    });
  }
}

async function fdOf({ program, by }: Clone): Promise<number> {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(program, { bigint: true });
  const key = [by, dev, ino, size, mtimeNs, ctimeNs].join();
  const made = clones.get(key) ?? makeClone(program, by);
  clones.set(key, made);
  made.catch(() => clones.delete(key));
  return made;
}

function replaced(
  [tool, ...rest]: ToolPlan["argv"],
  program: string,
  copy: string,
): ToolPlan["argv"] {
  if (tool === program) return [copy, ...rest];
  const at = rest.indexOf(program);
  if (at < 0) throw new Error("it is no word of the plan");
  return [tool, ...rest.with(at, copy)];
}

/** Has the launcher make the copy. Node cannot receive its fd, but can open it by its name in /proc while the launcher holds it. */
async function makeClone(program: string, by: string): Promise<number> {
  const child = spawn(by, ["clone", program], {
    env: {},
    cwd: "/",
    detached: true,
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
  child.stdin.on("error", () => undefined);
  const said = text(child.stderr);
  try {
    const number = await firstLine(child, said);
    return openSync(`/proc/${child.pid}/fd/${number}`, "r");
  } finally {
    child.stdin.end();
  }
}

function firstLine(child: ChildProcess, said: Promise<string>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (line: Buffer) => resolve(Number(line.toString())));
    child.once("error", reject);
    child.once("close", () => void said.then((why) => reject(new Error(why.trim()))));
  });
}
