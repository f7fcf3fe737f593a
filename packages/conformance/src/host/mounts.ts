import { accessSync, constants, readFileSync, statSync } from "node:fs";

/** The mount points of this process that lie in a directory; none where the kernel has no mountinfo. */
export function mountsIn(directory: string): string[] {
  return mountPoints().filter((path) => path.startsWith(`${directory}/`));
}

/** A directory of the host that is a mount of its own and in which this process can write, to see whether read-only reaches it. */
export function writableSubmount(): string | undefined {
  return ["/dev/shm", ...mountPoints()].find((path) => {
    if (path === "/" || path.includes("\\") || !mountPoints().includes(path)) return false;
    try {
      accessSync(path, constants.W_OK);
      return statSync(path).isDirectory() && !/^\/(proc|sys)(\/|$)/.test(path);
    } catch {
      return false;
    }
  });
}

function mountPoints(): string[] {
  try {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    return lines.flatMap((line) => line.split(" ")[4] ?? []);
  } catch {
    return [];
  }
}
