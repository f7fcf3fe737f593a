import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** The cgroups on this host that this process has made and not removed. */
export function cgroups(): string[] {
  return below("/sys/fs/cgroup").filter((path) => path.includes(`-${process.pid}-`));
}

/** The cgroups of the sandbox of a process. */
export function cgroupsOf(pid: number | undefined): string[] {
  const [name = "none"] =
    /sandboxlib-[\da-f-]+/.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8")) ?? [];
  return cgroups().filter((path) => basename(path) === name);
}

/** Where hierarchies of cgroups are mounted on this host. */
export function cgroupMounts(): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.flatMap((line) => (/ - cgroup2? /.test(line) ? (line.split(" ")[4] ?? []) : []));
}

function below(directory: string): string[] {
  return subdirectories(directory).flatMap((name) => {
    const path = join(directory, name);
    return [...(name.startsWith("sandboxlib-") ? [path] : []), ...below(path)];
  });
}

function subdirectories(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return []; // It is gone, or not ours.
  }
}
