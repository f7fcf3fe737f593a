import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Limits } from "@sandboxlib/core";
import { type Attack, refused, type Seen, succeeded, untried } from "../attack.js";
import type { Field } from "../field.js";
import { ending, type Ran, seenIn } from "../judge.js";

const MEBIBYTE = 1024 * 1024;

/** What an attempt may take of the host at most, so that no limit that is not kept harms it. */
const MOST = {
  bytes: 2048 * MEBIBYTE,
  processes: 4000,
  seconds: 10,
  files: 65_536,
  inodes: 100_000,
};

/** Taking more than the config lets the program have: only what it limits is tried, and little beyond. */
export const limits: readonly Attack[] = [
  limit("memory", "more memory is used than there may be", MOST.bytes, async ({ inside }, most) =>
    exceeding(await inside(["memory", String(most + 64 * MEBIBYTE)]), "memory"),
  ),
  limit(
    "processes",
    "more processes are started than there may be",
    MOST.processes,
    async ({ inside }, most) => seenIn(await inside(["processes", String(most + 1)])),
  ),
  limit("cpu", "more processors are kept busy than may be", availableParallelism() - 0.5, burns),
  limit("wallTime", "the run takes longer than it may", MOST.seconds, async ({ inside }) =>
    exceeding(await inside(["sleep"]), "wallTime"),
  ),
  limit(
    "cpuTime",
    "a process takes more of a processor's time than it may",
    MOST.seconds,
    async ({ inside }, most) =>
      exceeding(await inside(["burn", String(1000 * (Math.ceil(most) + 3)), "1"]), "cpuTime"),
  ),
  limit(
    "addressSpace",
    "a process maps more memory than it may",
    Infinity,
    async ({ inside }, most) => seenIn(await inside(["address-space", String(most)])),
  ),
  limit("fileSize", "a file grows beyond its limit", Infinity, async ({ inside }, most) =>
    seenIn(await inside(["file-size", String(most + 1)])),
  ),
  limit(
    "openFiles",
    "a process opens more files than it may",
    MOST.files,
    async ({ inside }, most) => seenIn(await inside(["open-files", String(most + 1)])),
  ),
  limit("stack", "a stack grows beyond its limit", MOST.bytes, async ({ inside }, most) =>
    seenIn(await inside(["stack", String(most + MEBIBYTE)])),
  ),
  ...(["addressSpace", "fileSize", "openFiles", "stack", "coreSize", "cpuTime"] as const).map(
    (name) =>
      limit(name, `the limit ${name} is taken away again`, Infinity, async ({ inside }) =>
        seenIn(await inside(["raise", String(RESOURCES[name])])),
      ),
  ),
  tmpfs("mount.tmpfs.size", "a tmpfs takes more than it may", (size) => [
    "fill",
    String(size + MEBIBYTE),
  ]),
  tmpfs("mount.tmpfs.inodes", "a tmpfs of a given size takes any number of files", (size) => [
    "inodes",
    String(Math.max(128, Math.ceil(size / 1024)) + 64),
  ]),
];

/** The numbers of setrlimit(2), which are the same for every processor that there is a program for. */
const RESOURCES = { cpuTime: 0, fileSize: 1, stack: 3, coreSize: 4, openFiles: 7, addressSpace: 9 };

function limit(
  name: Exclude<keyof Limits, "swap" | "ioWeight">,
  title: string,
  largest: number,
  run: (field: Field, most: number) => Promise<Seen>,
): Attack {
  return {
    title,
    about: [`limit.${name}`],
    remedy: "",
    async run(field) {
      const most = field.config.limits[name];
      if (most === undefined) return untried("the config sets no limit");
      return most > largest
        ? untried(`the limit is too large to be tried: ${most}`)
        : run(field, most);
    },
  };
}

/** The kernel or core ends the run. */
function exceeding({ lines, result }: Ran, name: string): Seen {
  if (lines.some(({ word }) => word === "got" || word === "used" || word === "end"))
    return succeeded(`the program went on to its end: ${ending(result)}`);
  const { outcome, exceeded } = result;
  const isRight = name === "wallTime" ? outcome === "timed-out" : exceeded?.limit === name;
  if (isRight || lines.some(({ word }) => word === "refused")) return refused(ending(result));
  // Without `exit.signal` a signal of the kernel is a number beyond 128.
  const isKilled = result.signal !== undefined || (result.exitCode ?? 0) > 128;
  return isKilled ? refused(ending(result)) : untried(`it ended otherwise: ${ending(result)}`);
}

/** For a second, with a process for each processor. What of a period was left at the beginning and at the end is extra. */
async function burns({ inside }: Field, most: number): Promise<Seen> {
  const wall = 1000;
  const { lines } = await inside(["burn", String(wall), String(availableParallelism())]);
  const used = lines.flatMap(({ word, text }) => (word === "used" ? Number(text) : []));
  const sum = used.reduce((total, each) => total + each, 0);
  if (used.length === 0) return untried("it said nothing");
  const share = `${sum} ms of processors in ${wall} ms`;
  return sum > most * wall * 1.25 + 250 ? succeeded(share) : refused(share);
}

function tmpfs(
  word: "mount.tmpfs.size" | "mount.tmpfs.inodes",
  title: string,
  wordsFor: (size: number) => readonly [string, string],
): Attack {
  return {
    title,
    about: [word],
    remedy: "Give it a `size`, and use a backend that has the word.",
    async run({ config, inside }) {
      const found = config.mounts.flatMap((mount) =>
        mount.type === "tmpfs" && mount.size !== undefined
          ? [{ target: mount.target, size: mount.size }]
          : [],
      )[0];
      if (found === undefined) return untried("no tmpfs has a size");
      const { size, target } = found;
      if (size > MOST.bytes / 2 || size / 1024 > MOST.inodes)
        return untried("it is too large to be tried");
      const [attack, much] = wordsFor(size);
      const where = attack === "fill" ? join(target, ".sandboxlib-prove-fill") : target;
      return seenIn(await inside([attack, where, much]));
    },
  };
}
