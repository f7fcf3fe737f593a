import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { isSandboxError } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText, refused, succeeded } from "../check.js";
import type { Context } from "../context.js";
import { elsewhere } from "../elsewhere.js";
import { descendants, hiddenFamilies, type Member, outliving } from "../host/family.js";
import { lasting } from "../host/processes.js";

const FOREVER = "echo ready; while :; do sleep 1; done";

export const poolEnd: Topic = {
  title: "the end of a pool",
  cases: [
    {
      title: "close ends the sandboxes that wait",
      needs: ["pool", "tree.kill"],
      skip: hiddenFamilies,
      async run(context) {
        const { caller, waiting } = await withPool(context);
        caller.stdin?.write("close\n");
        assert.equal(await nextText(caller.stdout), "done\n");
        assert.deepEqual(await outliving(waiting), []);
      },
    },
    {
      title: "sandboxes that wait do not keep the caller alive, and end with it",
      needs: ["pool", "tree.kill"],
      skip: hiddenFamilies,
      async run(context) {
        const { caller, family } = await withPool(context);
        const exit = once(caller, "exit");
        caller.stdin?.write("leave\n");
        assert.deepEqual(await exit, [0, null]);
        assert.deepEqual(await outliving(family), []);
      },
    },
    {
      title: "SIGKILL of the caller ends the sandboxes that wait",
      needs: ["pool", "tree.kill"],
      skip: hiddenFamilies,
      async run(context) {
        const { caller, family } = await withPool(context);
        caller.kill("SIGKILL");
        assert.deepEqual(await outliving(family), []);
      },
    },
    {
      title: "SIGKILL of the caller ends a command of a pool",
      needs: ["pool", "tree.kill"],
      async run(context) {
        const { caller } = await withPool(context);
        caller.stdin?.write("run\n");
        assert.equal(await nextText(caller.stdout), "ready\n");
        caller.kill("SIGKILL");
        assert.deepEqual(await lasting(context.marker), []);
      },
    },
    {
      title: "close ends running commands, can be called twice, and nothing runs afterwards",
      needs: ["pool", "tree.kill"],
      async run({ marker, pool, words }) {
        const { close, sh, spawn } = await pool(2);
        const child = spawn(words(FOREVER));
        assert.equal(await nextText(child.stdout), "ready\n");
        child.stdout?.resume();
        await close();
        assert.deepEqual(await lasting(marker, 0), []);
        await close();
        await assert.rejects(child.result, (error) => isSandboxError(error));
        await assert.rejects(sh(":"), (error) => isSandboxError(error));
      },
    },
    {
      title: "a sandbox that cannot be set up any more fails ready with the reason",
      needs: ["pool", "root", "mount.bind"],
      async run({ pool, scratch }) {
        const source = join(scratch, "source");
        mkdirSync(source);
        const mounts = [{ type: "bind", source, target: "/mnt/other" }] as const;
        const { ready, sh } = await pool(1, { mounts });
        await ready();
        renameSync(source, join(scratch, "elsewhere"));
        succeeded(await sh("ls /mnt/other"));
        assert.equal((await refused(ready(), "PATH_INVALID")).path, "mounts[0]");
        // The sandbox may have gone before it could be told what to run.
        await refused(sh(":"), "PATH_INVALID", "LAUNCH_FAILED");
      },
    },
  ],
};

/** Another process with a pool whose sandboxes wait, what it has started, and what of that came with the pool. */
async function withPool(context: Context) {
  const stdio = ["pipe", "pipe", "inherit"] as const;
  const caller = await elsewhere(context, FOREVER, {}, [...stdio], "pool");
  assert.equal(await nextText(caller.stdout), "before\n");
  const before = new Set(descendants(caller.pid).map(({ pid }) => pid));
  caller.stdin?.write("go\n");
  assert.equal(await nextText(caller.stdout), "ready\n");
  const family: readonly Member[] = descendants(caller.pid);
  const waiting = family.filter(({ pid }) => !before.has(pid));
  assert(waiting.length >= 2, "the sandboxes of the pool are not there");
  return { caller, family, waiting };
}
