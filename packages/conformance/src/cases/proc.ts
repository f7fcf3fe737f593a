import assert from "node:assert/strict";
import { execa } from "execa";
import type { Topic } from "../case.js";
import { succeeded } from "../check.js";

export const proc: Topic = {
  title: "proc",
  cases: [
    {
      title: "a procfs is mounted at its target",
      needs: ["root", "mount.proc"],
      proves: ["mount.proc"],
      async run({ sh }) {
        const mounts = [{ type: "proc", target: "/mnt/other" }] as const;
        const { out } = succeeded(await sh("cat /mnt/other/self/comm", { mounts }));
        assert.match(out, /^(cat|busybox)\n$/);
      },
    },
    {
      title: "a procfs shows no process of the host",
      needs: ["mount.proc", "isolate.pid"],
      async run({ marker, sh }) {
        await withDecoy(marker, async () => {
          const { out } = succeeded(await sh("cat /proc/[0-9]*/cmdline 2>&-; echo end"));
          assert(out.endsWith("end\n"), "the processes were not listed");
          assert(!out.includes("decoy"), "a process of the host is seen");
        });
      },
    },
    {
      title: "no process of the host can be signalled",
      needs: ["isolate.pid"],
      async run({ marker, sh }) {
        await withDecoy(marker, async (pid, isAlive) => {
          await sh(["kill -0 $1 && echo seen; kill -KILL $1 || :", String(pid)]);
          await new Promise((resolve) => setTimeout(resolve, 50));
          assert(isAlive(), "a process of the host was killed from inside");
        });
      },
    },
  ],
};

/** Runs a process of the host for a while that a program inside must not see. */
async function withDecoy(
  marker: string,
  run: (pid: number | undefined, isAlive: () => boolean) => Promise<void>,
): Promise<void> {
  const idle = "setInterval(() => undefined, 1e6)";
  const args = ["-e", idle, "--", "decoy", marker];
  const decoy = execa(process.execPath, args, { stdio: "ignore", reject: false });
  try {
    await run(decoy.pid, () => decoy.exitCode === null && decoy.signalCode === null);
  } finally {
    decoy.kill("SIGKILL");
    await decoy;
  }
}
