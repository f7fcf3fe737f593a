import { readdirSync, readFileSync } from "node:fs";

/** The processes that this one has started, and those that they have, by name as the kernel knows it. */
export function descendants() {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const known = new Map(all.map((pid) => [Number(pid), statusOf(pid)]));
  const below = (pid) =>
    pid === process.pid || (known.get(pid) !== undefined && below(known.get(pid).parent));
  return [...known]
    .filter(([pid, status]) => status !== undefined && pid !== process.pid && below(pid))
    .map(([pid, { name }]) => ({ pid, name }));
}

/** What a process has mapped, in KiB: its share of what it shares, and what nobody else has. */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)[1]);
  return { proportional: field("Pss"), private: field("Private_Clean") + field("Private_Dirty") };
}

/**
 * What the kernel itself holds for all processes, in KiB: kernel stacks, page tables, and its objects such as namespaces
 * and mounts. Caches are among the objects, so only the difference that many sandboxes make tells something.
 */
export function kernelMemory() {
  const text = readFileSync("/proc/meminfo", "latin1");
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)[1]);
  return ["KernelStack", "PageTables", "Slab"].reduce((sum, name) => sum + field(name), 0);
}

function statusOf(pid) {
  try {
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(
      readFileSync(`/proc/${pid}/stat`, "latin1"),
    );
    return { name, parent: Number(parent) };
  } catch {
    return undefined; // It ended meanwhile.
  }
}
