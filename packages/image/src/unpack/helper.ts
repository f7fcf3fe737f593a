import {
  createSandbox,
  isSandboxError,
  realHost,
  type Sandbox,
  type SandboxChild,
  type SandboxResult,
} from "@sandboxlib/core";
import { invalidImage } from "../invalid.js";

/** A tool of the host at work in a sandbox. */
export interface Helper {
  readonly child: SandboxChild;
  /** @throws SandboxError `IMAGE_INVALID` with what the tool says, when it fails. */
  done(): Promise<void>;
}

/**
 * Starts a tool of the host that reads what nobody has vouched for: it sees the host read-only, has no network, and can
 * write to one directory at most.
 *
 * @throws SandboxError `IMAGE_INVALID` when it is not installed, and what stops a run.
 */
export async function startHelper(
  [program, ...args]: readonly [string, ...string[]],
  writable?: string,
): Promise<Helper> {
  const path = realHost().which(program);
  if (path === undefined)
    throw invalidImage(
      `it takes ${program}(1) to read it, which is not installed`,
      `Install ${program}.`,
    );
  const sandbox = await sandboxFor(writable);
  const child = sandbox.spawn([path, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "capture",
  });
  // A tool that ends early closes its input: what it says on standard error counts.
  child.stdin?.on("error", () => undefined);
  return { child, done: async () => assertWell(program, await child.result) };
}

const ENV = { PATH: "/usr/bin:/bin", LC_ALL: "C" };

async function sandboxFor(writable: string | undefined): Promise<Sandbox> {
  const config = {
    writable: writable === undefined ? [] : [writable],
    mounts: [],
    env: ENV,
    cwd: writable ?? "/",
  };
  try {
    // What matters here is that nothing else can be written and nobody be talked to.
    const sandbox = await createSandbox(config, { prefer: LESSER, backend: chosen });
    chosen = sandbox.backend;
    return sandbox;
  } catch (error) {
    if (!isSandboxError(error) || !/^(CAPABILITY|BACKEND)_/.test(error.code)) throw error;
    // The archive was judged and written anew before the tool sees it: where there is no better wall, it is the wall.
    return createSandbox(config, { prefer: "all" });
  }
}

/** The backend of the last time: the others need not be asked again. */
let chosen: string | undefined;

const LESSER = ["isolate.uts", "isolate.cgroup", "isolate.user", "isolate.ipc"] as const;

function assertWell(program: string, { outcome, exitCode, stderr }: SandboxResult): void {
  if (outcome === "exited" && exitCode === 0) return;
  const text = Buffer.from(stderr ?? []).toString();
  const [line = ""] = text.split("\n").filter((each) => each !== "");
  throw invalidImage(`it cannot be unpacked: ${program} says: ${printable(line) || outcome}`);
}

function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- They are what must not reach a terminal.
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?").slice(0, 500);
}
