import assert from "node:assert/strict";
import { type ConfigInput, isSandboxError, type SandboxError } from "@sandboxlib/core";
import type { Case, Topic } from "../case.js";
import { refused } from "../check.js";
import type { Context } from "../context.js";
import { cgroupMounts } from "../host/cgroups.js";

/** Prints the directories that are cgroups, in the root and in what is bound at the first word. */
const CGROUPS = `at=$1; shift
for each in "$@"; do
  for directory in "$each" "$at$each"; do
    if [ -e "$directory/cgroup.procs" ]; then echo "$directory"; fi
  done
done`;

/** Prints the procfs that shows the process of the second word, which is the host's. */
const PROCESSES = `for directory in /proc "$1/proc"; do
  if [ -e "$directory/$2/status" ]; then echo "$directory"; fi
done`;

const skip: NonNullable<Case["skip"]> = () =>
  cgroupMounts().length > 0 ? undefined : "this host has no cgroups";

export const waysOut: Topic = {
  title: "ways out",
  cases: [
    {
      title: "no cgroup of the host can be opened, in which a process could be started",
      needs: ["isolate.mount"],
      skip,
      async run(context) {
        for (const writable of writables(context))
          assert.equal(await onTheHost(context, CGROUPS, cgroupMounts(), writable), "");
      },
    },
    {
      title: "a bind of a cgroup of the host is PATH_INVALID",
      needs: ["isolate.mount", "root", "mount.bind"],
      skip,
      async run({ sandbox }) {
        for (const source of cgroupMounts()) {
          const attempt = sandbox({ mounts: [{ type: "bind", source, target: "/mnt" }] });
          assert.equal((await refused(attempt, "PATH_INVALID")).path, "mounts[0].source");
        }
      },
    },
    {
      title: "no procfs of the host shows its processes, where the config mounts none",
      needs: ["isolate.mount", "isolate.pid"],
      async run(context) {
        for (const writable of writables(context))
          assert.equal(await onTheHost(context, PROCESSES, [String(process.pid)], writable), "");
      },
    },
  ],
};

function writables({ kit }: Context): ConfigInput[] {
  return kit.has.has("writable.paths") ? [{ writable: [] }, { writable: "all" }] : [{}];
}

/** Runs a script in the host's own root, with the root once more at its first word where that can be. */
async function onTheHost(
  { kit, config, marker, scratch }: Context,
  script: string,
  args: readonly string[],
  extra: ConfigInput,
): Promise<string> {
  const { backend, prefer } = kit;
  const again = { type: "bind", source: "/", target: scratch } as const;
  const mounts = kit.has.has("mount.bind") ? [again] : [];
  const asked = { ...config(extra), root: "/", mounts };
  const argv = ["sh", "-c", `${script}\n:`, marker, scratch, ...args];
  for (let left = 20; ; left -= 1) {
    try {
      const sandbox = await kit.createSandbox(asked, { backend, prefer });
      const { stdout } = await sandbox.run(argv);
      return Buffer.from(stdout ?? []).toString();
    } catch (error) {
      // Something else on this host has mounted or unmounted below its root in between: a new sandbox is asked for.
      if (left === 0 || !isSandboxError(error) || !hasChanged(error)) throw error;
    }
  }
}

/** A tool that is given paths says with this hint alone what core says with a code. */
function hasChanged({ code, hint }: SandboxError): boolean {
  return code === "PATH_INVALID" || hint === "Make a new sandbox after the change.";
}
