import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename } from "node:path";
import {
  createSandbox,
  isSandboxError,
  type MountInput,
  type Sandbox,
  type SandboxChild,
  SandboxError,
  type SandboxResult,
} from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { invalidImage } from "../errors.js";
import type { Ids } from "../image.js";

/** A tool of the host that runs in a sandbox. */
export interface Helper {
  readonly child: SandboxChild;
  /** Whether the tool could write anywhere on the host, see {@link HelperOptions.sanitized}. */
  readonly unconfined: boolean;
  /**
   * Waits for the end of the tool.
   *
   * @returns what it has written to its standard error.
   * @throws SandboxError `IMAGE_INVALID` with its message when it fails.
   */
  done(): Promise<string>;
}

/** What a tool may use. */
export interface HelperOptions {
  /** The only directory to which it may write. Default: none. */
  readonly writable?: string;
  /** A file or directory that it reads, beside its standard input. */
  readonly reads?: string;
  /**
   * Whether all that it reads has been sanitized. Such a tool also runs where no backend can keep it from writing to other
   * directories. Default: no.
   */
  readonly sanitized?: boolean;
  /**
   * A directory of {@link NOBODY}'s that it sees as {@link BOX}, and to which alone it may write. The tool then runs as that
   * user, and sees what it reads as `image` in there, where a file of this name must be. Default: it runs as the caller.
   */
  readonly box?: string;
}

/**
 * Starts a tool of the host that reads untrusted data. The tool sees the host read-only, has no network, and can write to
 * one directory at most.
 *
 * @throws SandboxError `IMAGE_INVALID` when the tool is not installed, `CAPABILITY_UNSUPPORTED` when no backend can confine
 * it, and what `spawn` of a sandbox throws.
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
  const { sandbox, unconfined } = await sandboxFor(path, options);
  const child = sandbox.spawn([path, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "capture",
  });
  // A tool that ends early closes its input. Its standard error says why, so this error says nothing new.
  child.stdin?.on("error", () => undefined);
  return { child, unconfined, done: async () => assertSucceeded(program, await child.result) };
}

/** A user other than root, for tools that do more for root than they can do in a sandbox. */
export const NOBODY: Ids = { uid: 65_534, gid: 65_534 };
/** Where a tool sees its {@link HelperOptions.box}: a directory that every host has. */
export const BOX = "/tmp";

const ENV = { PATH: "/usr/bin:/bin", LC_ALL: "C" };
/**
 * The most memory of a tool, in bytes. No well-formed image needs as much: zstd(1) itself refuses a window over 128
 * MiB.
 */
const MEMORY = 2 * 1024 ** 3;

async function sandboxFor(
  tool: string,
  { writable, reads, sanitized = false, box }: HelperOptions,
): Promise<{ readonly sandbox: Sandbox; readonly unconfined: boolean }> {
  const used = [tool, writable, reads, box].filter((path) => path !== undefined);
  const config = {
    writable: writable === undefined ? [] : [writable],
    mounts: box === undefined ? [] : boxMounts(box, reads),
    env: ENV,
    cwd: writable ?? "/",
    // A directory may hand its group on to its files, and the profile `default` lets nobody set that bit.
    ...((writable ?? box) !== undefined && { seccomp: "none" as const }),
    ...(box !== undefined && { user: NOBODY }),
  };
  // What lies below the box is covered by it.
  const covered = box === undefined ? [] : [BOX];
  const strict = { hidden: secretDirectories(used, covered), limits: { addressSpace: MEMORY } };
  try {
    // A backend may drop everything except the write protection and the missing network.
    const wanted = sanitized ? config : { ...config, ...strict };
    const sandbox = await createSandbox(wanted, { prefer: OPTIONAL, backend: lastBackend });
    lastBackend = sandbox.backend;
    return { sandbox, unconfined: false };
  } catch (error) {
    if (!isSandboxError(error) || !/^(CAPABILITY|BACKEND)_/.test(error.code)) throw error;
    if (sanitized)
      return { sandbox: await createSandbox(config, { prefer: "all" }), unconfined: true };
    throw new SandboxError(
      "CAPABILITY_UNSUPPORTED",
      `${basename(tool)}(1) would read an image that nobody has vouched for, and no backend here can keep it from the rest: ${error.message}`,
      { hint: HINT, cause: error },
    );
  }
}

function boxMounts(box: string, reads: string | undefined): MountInput[] {
  return [
    { type: "bind", source: box, target: BOX, readOnly: false },
    ...(reads === undefined
      ? []
      : [{ type: "bind" as const, source: reads, target: `${BOX}/image`, readOnly: true }]),
  ];
}

/** The backend of the last helper. It is tried first, so that the others need not be probed again. */
let lastBackend: string | undefined;

const OPTIONAL = [
  "isolate.uts",
  "isolate.cgroup",
  "isolate.user",
  "isolate.ipc",
  "hidden",
  "limit.addressSpace",
] as const;

const HINT =
  "Install a backend that has writable.paths and network.none, such as @sandboxlib/backend-namespaces, or turn the image into a tar archive that is plain or compressed with gzip.";

/**
 * The directories with the most secrets, except for those in which a path lies that the tool uses, and those that are
 * covered anyway.
 */
function secretDirectories(used: readonly string[], covered: readonly string[]): string[] {
  const found = new Set(["/home", "/root", "/run", "/var/run", homedir()].flatMap(realDirectory));
  const within = (path: string, directory: string): boolean =>
    `${path}/`.startsWith(`${directory}/`);
  return [...found].filter(
    (directory) =>
      directory !== "/" &&
      !used.some((path) => within(path, directory)) &&
      !covered.some((cover) => within(directory, cover)) &&
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

function assertSucceeded(program: string, { outcome, exitCode, stderr }: SandboxResult): string {
  const text = Buffer.from(stderr ?? []).toString();
  if (outcome === "exited" && exitCode === 0) return text;
  const [line = ""] = text.split("\n").filter((each) => each !== "");
  throw invalidImage(`it cannot be unpacked: ${program} says: ${printable(line) || outcome}`);
}

function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- Control characters must not reach a terminal.
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?").slice(0, 500);
}
