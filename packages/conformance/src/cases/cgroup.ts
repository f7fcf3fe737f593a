import assert from "node:assert/strict";
import type { Topic } from "../case.js";
import { nextText, refused, succeeded } from "../check.js";
import type { Context } from "../context.js";
import { cgroups, cgroupsOf } from "../host/cgroups.js";
import { pidsWith } from "../host/processes.js";

const MEBIBYTE = 1024 * 1024;
const DEV = { type: "dev", target: "/dev" } as const;

/** Takes more and more memory with a shell variable. */
const HOARD = "x=0123456789abcdef; while :; do x=$x$x; done";
/** Each process starts two, and so on: a fork bomb. */
const FORK_BOMB = "b() { b | b & }; b 2> /dev/null; sleep 2";

export const cgroup: Topic = {
  title: "limits on the whole of a sandbox",
  cases: [
    {
      title: "a program that wants more memory than there is ends as limit-exceeded",
      needs: ["limit.memory"],
      proves: ["limit.memory"],
      async run({ sh }) {
        const memory = 48 * MEBIBYTE;
        const { outcome, exceeded, usage } = await sh(HOARD, { limits: { memory } });
        assert.deepEqual(
          [outcome, exceeded],
          ["limit-exceeded", { limit: "memory", bytes: memory }],
        );
        assert((usage.oomKills ?? 1) > 0);
        if (usage.peakMemory !== undefined)
          assert(usage.peakMemory <= memory, `${usage.peakMemory} bytes`);
      },
    },
    {
      title: "what a program writes to a tmpfs counts as its memory",
      needs: ["limit.memory", "root", "mount.tmpfs", "mount.dev"],
      async run({ sh }) {
        const mounts = [DEV, { type: "tmpfs", target: "/data" }] as const;
        const limits = { memory: 32 * MEBIBYTE };
        const little = `head -c ${4 * MEBIBYTE} /dev/zero > /data/file`;
        succeeded(await sh(little, { mounts, limits }));
        const much = await sh(`exec head -c ${128 * MEBIBYTE} /dev/zero > /data/file`, {
          mounts,
          limits,
        });
        assert.equal(much.outcome, "limit-exceeded");
      },
    },
    {
      title: "a fork beyond the limit of processes fails, and the result counts it",
      needs: ["limit.processes"],
      proves: ["limit.processes"],
      async run({ sh }) {
        const script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 1 & done; wait";
        const limits = { processes: 12 };
        const { outcome, err, usage } = await sh(script, { limits });
        assert.equal(outcome, "exited");
        assert.match(err, /fork/);
        if (usage.refusedForks !== undefined) assert(usage.refusedForks > 0);
        if (usage.peakProcesses !== undefined) assert(usage.peakProcesses <= 12);
      },
    },
    {
      title: "a fork bomb is ended in time, and nothing is left of it",
      needs: ["limit.processes", "limit.wallTime", "tree.kill"],
      async run({ sh }) {
        const limits = { processes: 40, wallTime: 5 };
        const { outcome, usage } = await sh(FORK_BOMB, { limits });
        assert(outcome === "exited" || outcome === "timed-out", `the run ended as ${outcome}`);
        assert(usage.wallTime < 15, `${usage.wallTime} s`);
      },
    },
    {
      title: "a part of a processor is a part of its time",
      needs: ["limit.cpu"],
      proves: ["limit.cpu"],
      async run({ sh }) {
        // A fraction so small that a busy machine gives more.
        const busy = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        const { usage } = succeeded(await sh(busy, { limits: { cpu: 0.05 } }));
        const { userTime, systemTime = 0, wallTime } = usage;
        // A period of 100 ms may be used at once when it begins, and when it ends.
        if (userTime !== undefined)
          assert((userTime + systemTime - 0.02) / wallTime < 0.1, `${userTime} s of ${wallTime} s`);
      },
    },
    {
      title: "a share of the disks is set",
      needs: ["limit.ioWeight"],
      proves: ["limit.ioWeight"],
      async run({ sh }) {
        const { enforcement } = succeeded(await sh(":", { limits: { ioWeight: 50 } }));
        const one = enforcement.enforced.find(({ capability }) => capability === "limit.ioWeight");
        assert.equal(one?.known, "verified");
        assert.match(one.mechanism, /^cgroup v[12] .*weight/);
      },
    },
    {
      title: "the sandbox's cgroup is gone with it",
      needs: ["limit.processes"],
      async run({ marker, spawn }) {
        const child = await spawn("echo ready; read wait", { limits: { processes: 50 } });
        assert.equal(await nextText(child.stdout), "ready\n");
        const own = cgroupsOf(pidsWith(marker)[0]);
        assert(own.length > 0, "there is no cgroup");
        child.kill("SIGKILL");
        await child.result;
        assert.deepEqual(
          cgroups().filter((path) => own.includes(path)),
          [],
        );
      },
    },
    {
      title: "inside, the sandbox's cgroup is the root of all that is seen",
      needs: ["limit.processes", "isolate.cgroup", "root", "mount.proc"],
      async run({ sh }) {
        const mounts = [DEV, { type: "proc", target: "/proc" }] as const;
        const { out } = succeeded(
          await sh("cat /proc/self/cgroup", { mounts, limits: { processes: 50 } }),
        );
        assert(!out.includes("sandboxlib"), `a cgroup of the host is seen: ${out}`);
      },
    },
    {
      title: "a program cannot leave its cgroup, nor change it",
      needs: ["limit.processes", "writable.paths"],
      async run(context) {
        await staysInside(context, {});
        if (context.kit.has.has("root")) await staysInside(context, { writable: "all" });
      },
    },
    {
      title: "one command of a session that wants too much memory does not end the others",
      needs: ["limit.memory", "session"],
      async run({ session }) {
        const { sh, spawn } = await session({ limits: { memory: 64 * MEBIBYTE } });
        const other = await spawn(["sh", "-c", "echo ready; read line; echo $line"]);
        assert.equal(await nextText(other.stdout), "ready\n");
        assert.equal((await sh(HOARD)).outcome, "limit-exceeded");
        other.stdin?.end("on\n");
        assert.equal(await nextText(other.stdout), "on\n");
        assert.equal((await other.result).exitCode, 0);
      },
    },
    {
      title: "a command of a session cannot have a limit on the whole sandbox of its own",
      needs: ["limit.processes", "session"],
      async run({ session, words }) {
        const { run } = await session();
        const error = await refused(
          run(words(":"), { limits: { processes: 5 } }),
          "CONFIG_INVALID",
        );
        assert.equal(error.path, "limits.processes");
      },
    },
    {
      title: "a run in a pool has limits and a cgroup of its own",
      needs: ["limit.memory", "pool"],
      async run({ pool }) {
        const { ready, sh } = await pool(2, { limits: { memory: 48 * MEBIBYTE } });
        await ready();
        const [bad, good] = await Promise.all([sh(HOARD), sh(":")]);
        assert.deepEqual([bad.outcome, good.outcome], ["limit-exceeded", "exited"]);
        assert.equal(good.usage.oomKills ?? 0, 0);
      },
    },
  ],
};

/** The host's own root has the host's cgroups in it. */
async function staysInside(
  { kit, config, marker, words }: Context,
  extra: Parameters<Context["config"]>[0],
): Promise<void> {
  const { backend, prefer } = kit;
  const asked = { ...config(extra), root: "/", limits: { processes: 50 } };
  const made = await kit.createSandbox(asked, { backend, prefer });
  const child = made.spawn(words(ESCAPE));
  assert.equal(await nextText(child.stdout), "ready\n");
  child.stdin?.end(`${cgroupsOf(pidsWith(marker)[0]).join(" ")}\n`);
  const said = await nextText(child.stdout);
  assert.equal(said, "tried\n");
  await child.result;
}

const ESCAPE = `echo ready; read groups
for group in $groups; do
  if echo $$ > \${group%/*}/cgroup.procs || echo max > $group/pids.max || mkdir $group/own
  then echo escaped; exit 1; fi
done 2> /dev/null
echo tried`;
