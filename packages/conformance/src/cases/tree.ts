import assert from "node:assert/strict";
import { once } from "node:events";
import { dirname } from "node:path";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";
import type { Context } from "../context.js";
import { elsewhere } from "../elsewhere.js";
import { mountsIn } from "../host/mounts.js";
import { lasting } from "../host/processes.js";

/**
 * A script that leaves a process in a session of its own which ignores every signal that can be ignored, and goes on
 * only when that has said that it is there.
 */
function leave(then: "exit" | "stay"): string {
  const survivor =
    'trap "" HUP INT TERM PIPE; echo ready; kill -USR1 $1; while :; do sleep 1; done';
  const until = then === "exit" ? '[ -z "$ready" ]' : ":";
  // An orphan, which is not below the tool any more.
  return `trap 'ready=1' USR1; (setsid sh -c '${survivor}' "$0" $$ &) ; while ${until}; do sleep 1; done`;
}

/** Three sorts of survivors, each of which has said that it is there. */
const LEAVE_ALL = `
stopped='trap "" HUP INT TERM PIPE; echo ready; kill -STOP $$; sleep 600'
orphan='(setsid sh -c "echo ready; sleep 600; :" "$0" &) & exit'
forking='[ $1 != 1 ] || echo ready; sleep 0.05 2>&- || sleep 1; sh -c "$2" "$0" 2 "$2" & exit'
{
  sh -c "$stopped" "$0" & sh -c "$orphan" "$0" & setsid sh -c "$forking" "$0" 1 "$forking" &
} | { read -r a && read -r b && read -r c && echo "$a $b $c"; }`;

export const tree: Topic = {
  title: "the tree of processes",
  cases: [
    {
      title: "what a program leaves running is gone when it has exited, and delays nothing",
      needs: ["tree.kill"],
      proves: ["tree.kill"],
      tools: ["setsid"],
      async run({ marker, sh }) {
        const { usage, out } = succeeded(await sh(leave("exit")));
        assert.equal(out, "ready\n");
        assert(usage.wallTime < 20);
        assert.deepEqual(await lasting(marker, 0), []);
      },
    },
    {
      title: "what a program leaves stopped, orphaned or forking on is gone when it has exited",
      needs: ["tree.kill"],
      tools: ["setsid"],
      async run({ marker, sh }) {
        const { out } = succeeded(await sh(LEAVE_ALL));
        assert.equal(out, "ready ready ready\n");
        assert.deepEqual(await lasting(marker, 0), []);
      },
    },
    {
      title: "what a program leaves running is gone after a time-out",
      needs: ["tree.kill", "limit.wallTime"],
      tools: ["setsid"],
      async run({ marker, sh }) {
        const { outcome } = await sh(leave("stay"), { limits: { wallTime: 2 } });
        assert.equal(outcome, "timed-out");
        assert.deepEqual(await lasting(marker, 0), []);
      },
    },
    {
      title: "what a program leaves running is gone after an abort",
      needs: ["tree.kill"],
      tools: ["setsid"],
      async run(context) {
        const controller = new AbortController();
        await endedBy(context, () => controller.abort(), controller.signal);
      },
    },
    {
      title: "what a program leaves running is gone after SIGKILL",
      needs: ["tree.kill"],
      tools: ["setsid"],
      async run(context) {
        await endedBy(context, (child) => child.kill("SIGKILL"));
      },
    },
    {
      title: "what a program leaves running is gone when it dies of a signal",
      needs: ["tree.kill"],
      tools: ["setsid"],
      async run(context) {
        await endedBy(context, (child) => child.kill("SIGTERM"));
      },
    },
    {
      title: "SIGKILL of the caller leaves no process and no mount",
      needs: ["tree.kill"],
      tools: ["setsid"],
      async run(context) {
        const stdio = ["ignore", "pipe", "inherit"] as const;
        const caller = await elsewhere(context, leave("stay"), {}, [...stdio]);
        const gone = once(caller, "exit");
        try {
          assert.equal(await nextText(caller.stdout), "ready\n");
        } finally {
          caller.kill("SIGKILL");
        }
        await gone;
        assert.deepEqual(await lasting(context.marker), []);
        assert.deepEqual(mountsIn(dirname(context.root)), []);
      },
    },
  ],
};

async function endedBy(
  { marker, spawn }: Context,
  end: (child: Awaited<ReturnType<Context["spawn"]>>) => void,
  signal?: AbortSignal,
): Promise<void> {
  const child = await spawn(leave("stay"), {}, { signal });
  assert.equal(await nextText(child.stdout), "ready\n");
  child.stdout?.resume();
  end(child);
  await child.result;
  assert.deepEqual(await lasting(marker, 0), []);
}
