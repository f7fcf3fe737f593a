import { join, relative } from "node:path";
import { parseMountinfo } from "../host/mountinfo.js";
import { contentOf } from "./file.js";

/** One tree of cgroups: the only one of version 2, or one of version 1 with its controllers. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Of version 1; in version 2 each directory says itself which it has. */
  readonly controllers: ReadonlySet<Controller>;
  /** Where it is mounted. */
  readonly mount: string;
  /** The directory of this process in it; undefined where it is not below what is mounted. */
  readonly own: string | undefined;
}

/**
 * The hierarchies that are mounted here: cgroups(7), proc(5) on `mountinfo` and `cgroup`.
 *
 * @param mountinfo - Of `/proc/self`, as are `membership`; others for tests.
 */
export function hierarchies(
  mountinfo: string = contentOf("/proc/self/mountinfo") ?? "",
  membership: string = contentOf("/proc/self/cgroup") ?? "",
): Hierarchy[] {
  const own = membership.split("\n").map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
  return parseMountinfo(mountinfo).entries.flatMap(({ type, root, at: mount, superOptions }) => {
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const words = superOptions.split(",");
    const mine = own.find(([, names = "-"]) =>
      type === "cgroup2" ? names === "" : names !== "" && words.includes(names.split(",")[0] ?? ""),
    );
    const controllers = type === "cgroup" ? controllersIn(words) : new Set<Controller>();
    const directory = mine?.[2] === undefined ? undefined : below(root, mine[2]);
    return [
      {
        version: type === "cgroup2" ? 2 : 1,
        controllers,
        mount,
        own: directory === undefined ? undefined : join(mount, directory),
      },
    ];
  });
}

function below(root: string, path: string): string | undefined {
  const way = relative(root, path);
  return way === ".." || way.startsWith("../") ? undefined : way;
}

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
