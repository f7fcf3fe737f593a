/** What a cgroup controls and counts, by the words of cgroup v2; `cpuacct` is a controller of its own in v1 only. */
export type Controller = "memory" | "pids" | "cpu" | "cpuacct" | "io";

/** The controllers among the names that the kernel gives, of either version. */
export function controllersIn(names: readonly string[]): ReadonlySet<Controller> {
  return new Set(
    names.flatMap((name): Controller[] => {
      const word = name === "blkio" ? "io" : name;
      return isController(word) ? [word] : [];
    }),
  );
}

function isController(name: string): name is Controller {
  return ["memory", "pids", "cpu", "cpuacct", "io"].includes(name);
}
