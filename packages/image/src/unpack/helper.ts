import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename } from "node:path";
import {
  createSandbox,
  isSandboxError,
  realHost,
  type Sandbox,
  type SandboxChild,
  SandboxError,
  type SandboxResult,
} from "@sandboxlib/core";
import { invalidImage } from "../invalid.js";

/** A tool of the host that runs in a sandbox. */
export interface Helper {
  readonly child: SandboxChild;
  /** Whether nothing keeps it from writing elsewhere on the host, see {@link HelperOptions.sanitized}. */
  readonly bare: boolean;
  /** @throws SandboxError `IMAGE_INVALID` with what the tool says, when it fails. */
  done(): Promise<void>;
}

/** What a tool is given. */
export interface HelperOptions {
  /** The one directory that it may write to. */
  readonly writable?: string;
  /** A file or directory that it reads, beside its input. */
  readonly reads?: string;
  /**
   * Whether all that it reads has been sanitized here. It then also runs where no backend can keep it from writing
   * elsewhere.
   */
  readonly sanitized?: boolean;
}

/**
 * Starts a tool of the host that reads untrusted data. It sees the host read-only, has no network, and can write to one
 * directory at most.
 *
 * @throws SandboxError `IMAGE_INVALID` when it is not installed, `CAPABILITY_UNSUPPORTED` when no backend can do that, and
 * what stops a run.
 */
export async function startHelper(
  [program, ...args]: readonly [string, ...string[]],
  options: HelperOptions = {},
): Promise<Helper> {
  const path = realHost().which(program);
  if (path === undefined)
    throw invalidImage(
      `it takes ${program}(1) to read it, which is not installed`,
      `Install ${program}.`,
    );
  const { sandbox, bare } = await sandboxFor(path, options);
  const child = sandbox.spawn([path, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "capture",
  });
  // A tool that ends early closes its input. The reason is on its standard error.
  child.stdin?.on("error", () => undefined);
  return { child, bare, done: async () => assertWell(program, await child.result) };
}

const ENV = { PATH: "/usr/bin:/bin", LC_ALL: "C" };
/** No well-formed image needs as much: zstd(1), for one, refuses a window over 128 MiB by itself. */
const MEMORY = 2 * 1024 ** 3;

async function sandboxFor(
  tool: string,
  { writable, reads, sanitized = false }: HelperOptions,
): Promise<{ readonly sandbox: Sandbox; readonly bare: boolean }> {
  const used = [tool, writable, reads].filter((path) => path !== undefined);
  const config = {
    writable: writable === undefined ? [] : [writable],
    mounts: [],
    env: ENV,
    cwd: writable ?? "/",
  };
  const raw = { hidden: unneeded(used), limits: { addressSpace: MEMORY } };
  try {
    // All but the write protection and the missing network may be dropped.
    const restricted = sanitized ? config : { ...config, ...raw };
    const sandbox = await createSandbox(restricted, { prefer: LESSER, backend: chosen });
    chosen = sandbox.backend;
    return { sandbox, bare: false };
  } catch (error) {
    if (!isSandboxError(error) || !/^(CAPABILITY|BACKEND)_/.test(error.code)) throw error;
    if (sanitized) return { sandbox: await createSandbox(config, { prefer: "all" }), bare: true };
    throw new SandboxError(
      "CAPABILITY_UNSUPPORTED",
      `${basename(tool)}(1) would read an image that nobody has vouched for, and no backend here can keep it from the rest: ${error.message}`,
      { hint: HINT, cause: error },
    );
  }
}

/** The backend that the last helper ran on, so that the others need not be probed again. */
let chosen: string | undefined;

const LESSER = [
  "isolate.uts",
  "isolate.cgroup",
  "isolate.user",
  "isolate.ipc",
  "hidden",
  "limit.addressSpace",
] as const;

const HINT =
  "Install a backend that has writable.paths and network.none, such as @sandboxlib/backend-namespaces, or turn the image into a tar archive that is plain or compressed with gzip.";

/** The directories with the most secrets, which a tool does not need unless what it uses lies in one of them. */
function unneeded(used: readonly string[]): string[] {
  const found = new Set(["/home", "/root", "/run", "/var/run", homedir()].flatMap(realDirectory));
  const within = (path: string, directory: string): boolean =>
    `${path}/`.startsWith(`${directory}/`);
  return [...found].filter(
    (directory) =>
      directory !== "/" &&
      !used.some((path) => within(path, directory)) &&
      ![...found].some((other) => other !== directory && within(directory, other)),
  );
}

function realDirectory(path: string): string[] {
  try {
    const real = realpathSync.native(path);
    return statSync(real).isDirectory() ? [real] : [];
  } catch {
    return [];
  }
}

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
