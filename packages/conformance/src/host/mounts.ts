import { accessSync, constants, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The mount points of this process that lie in a directory; none where the kernel has no mountinfo. */
export function mountsIn(directory: string): string[] {
  return mountPoints().filter((path) => path.startsWith(`${directory}/`));
}

/**
 * Every mount of the host, that is of this process and of pid 1, each in a line of its own: where it is, of which type and
 * from what, and its number, as one may lie over another.
 */
export function mountTable(): string[] {
  return [...new Set(["self", "1"].flatMap((pid) => mountLines(pid).map(described)))];
}

/**
 * Makes a directory for a case in a mount of the host that is not its root, to see whether read-only reaches it.
 *
 * @param name - Of the directory, which nobody else has.
 */
export async function withSubmount(
  name: string,
  run: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = join(sharedMount() ?? "", name);
  mkdirSync(directory);
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Why there is no such mount in which everybody may make temporary files, if there is none. */
export function noSubmount(): string | undefined {
  return sharedMount() === undefined
    ? "this host has no mount beside its root for temporary files"
    : undefined;
}

function sharedMount(): string | undefined {
  const root = statSync("/").dev;
  return ["/dev/shm", tmpdir(), "/var/tmp"].find((path) => {
    try {
      accessSync(path, constants.W_OK);
      return statSync(path).dev !== root;
    } catch {
      return false;
    }
  });
}

function mountPoints(): string[] {
  return mountLines("self").flatMap((line) => line.split(" ")[4] ?? []);
}

/** As mountinfo of proc(5) has it. */
function described(line: string): string {
  const [before = "", after = ""] = line.split(" - ");
  const [id, , , , target] = before.split(" ");
  const [type, source] = after.split(" ");
  return `${target} (${type} of ${source}, number ${id})`;
}

function mountLines(pid: string): string[] {
  try {
    const lines = readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n");
    return lines.filter((line) => line !== "");
  } catch {
    return []; // No such kernel, or a process that this user may not look at.
  }
}
