import assert from "node:assert/strict";
import { isSandboxError } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText, succeeded } from "../check.js";
import type { Context } from "../context.js";
import { between, hiddenFamilies } from "../host/family.js";
import { lasting, pidsWith, rising } from "../host/processes.js";

const FOREVER = "echo ready; while :; do sleep 1; done";
/** Ignores whatever can be ignored, and holds no stream. */
const STUBBORN = 'trap "" HUP INT TERM PIPE; while :; do sleep 1; done';
const STREAMS = "<&- >&- 2>&-";

export const sessionEnd: Topic = {
  title: "the end of a session",
  cases: [
    {
      title: "close ends what commands have left, in sessions of their own and as orphans too",
      needs: ["session", "tree.kill"],
      tools: ["setsid"],
      async run({ marker, session }) {
        const { close, sh } = await session();
        succeeded(await sh(`setsid sh -c '${STUBBORN}' "$0" ${STREAMS} &`));
        succeeded(await sh(`(sh -c '${STUBBORN}' "$0" ${STREAMS} &) &`));
        assert.equal(await rising(marker, 2), 2);
        await close();
        assert.deepEqual(await lasting(marker, 0), []);
      },
    },
    {
      title: "close ends running commands, which do not count as having ended by themselves",
      needs: ["session", "tree.kill"],
      async run({ marker, session, words }) {
        const { close, spawn } = await session();
        const child = await spawn(words(FOREVER));
        assert.equal(await nextText(child.stdout), "ready\n");
        child.stdout?.resume();
        await close();
        assert.deepEqual(await lasting(marker, 0), []);
        await failed(child.result);
      },
    },
    {
      title: "a session can be closed twice, and runs nothing afterwards",
      needs: ["session"],
      async run({ session, words }) {
        const { close, sh, spawn } = await session();
        succeeded(await sh(":"));
        await close();
        await close();
        await failed(sh(":"));
        await failed(spawn(words(":")).then(({ result }) => result));
      },
    },
    {
      title: "disposing of a session closes it",
      needs: ["session", "tree.kill"],
      async run({ marker, session }) {
        const opened = await session();
        succeeded(await opened.sh(`sh -c '${STUBBORN}' "$0" ${STREAMS} &`));
        await opened[Symbol.asyncDispose]();
        assert.deepEqual(await lasting(marker, 0), []);
      },
    },
    {
      title: "SIGKILL of whatever stands between a command and the caller ends all, with an error",
      needs: ["session", "tree.kill"],
      skip: hiddenFamilies,
      async run(context) {
        const count = await killBetween(context, 0);
        for (let turn = 1; turn < count; turn += 1) await killBetween(context, turn);
      },
    },
  ],
};

/** Kills one of the processes between, counted from the command; returns how many there are. */
async function killBetween({ marker, session, words }: Context, turn: number): Promise<number> {
  const { close, sh, spawn } = await session();
  const child = await spawn(words(FOREVER));
  assert.equal(await nextText(child.stdout), "ready\n");
  child.stdout?.resume();
  const [pid] = pidsWith(marker);
  assert(pid !== undefined, "the host does not see the command");
  const all = between(pid);
  const victim = all[turn];
  assert(victim !== undefined, "nothing stands between");
  process.kill(victim.pid, "SIGKILL");
  await failed(child.result);
  assert.deepEqual(await lasting(marker), []);
  await failed(sh(":"));
  await close();
  return all.length;
}

/** Asserts that a command came to no end of its own: an error of the library's that says so. */
async function failed(result: Promise<unknown>): Promise<void> {
  try {
    await result;
  } catch (error) {
    assert(isSandboxError(error) && error.message !== "", String(error));
    return;
  }
  assert.fail("the command ended as if nothing had happened");
}
