import assert from "node:assert/strict";
import type { PooledOptions } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { nextText, refused, succeeded } from "../check.js";

const TMP = { mounts: [{ type: "tmpfs", target: "/tmp" }] } as const;
const FOREVER = "echo ready; while :; do sleep 1; done";

export const pool: Topic = {
  title: "pools",
  cases: [
    {
      title: "a pool is refused, because the backend has none",
      lacks: ["pool"],
      async run({ kit, pool }) {
        const error = await refused(pool(1), "CAPABILITY_UNSUPPORTED");
        assert.equal(error.backend, kit.backend.name);
        assert(error.message.includes("pool") && error.hint !== undefined, error.message);
      },
    },
    {
      title: "a size that is no whole number from 1 to 256 is CONFIG_INVALID",
      needs: ["pool"],
      async run({ pool }) {
        for (const size of [0, -1, 1.5, 257, Number.NaN, Infinity, "2" as never])
          assert.equal((await refused(pool(size), "CONFIG_INVALID")).path, "size");
      },
    },
    {
      title: "a result is what it is in a sandbox of its own",
      needs: ["pool"],
      proves: ["pool"],
      async run({ pool, sh }) {
        const config = { env: { PATH: "/bin:/usr/bin", NAME: "value" } };
        const waiting = await pool(1, config);
        const script = 'cat; echo "$NAME $PWD"; echo err >&2; exit 7';
        const options = { stdin: { data: "in\n" } };
        const alone = await sh(script, config, options);
        const { outcome, exitCode, out, err, ...more } = await waiting.sh(script, options);
        assert.deepEqual([outcome, exitCode, out, err], ["exited", 7, "in\nvalue /\n", "err\n"]);
        assert.deepEqual([more.backend, more.enforcement], [alone.backend, alone.enforcement]);
      },
    },
    {
      title: "no run finds what another has left, neither a file nor a process",
      needs: ["pool", "root", "mount.tmpfs", "isolate.pid", "tree.kill"],
      async run({ pool }) {
        const { ready, sh } = await pool(2, TMP);
        const script = `ls -A /tmp; echo x > /tmp/file; sh -c 'while :; do sleep 1; done' "$0" <&- >&- 2>&- &
          [ "$1" = "" ] || ! kill -0 "$1" 2>&- || [ "$1" = $! ] || echo seen; echo $! >&2`;
        let pid = "";
        for (let time = 0; time < 5; time += 1) {
          if (time === 3) await ready();
          const ran = succeeded(await sh([script, pid]));
          assert.equal(ran.out, "");
          pid = ran.err.trim();
        }
      },
    },
    {
      title: "more runs than sandboxes wait get one each, and the pool fills again",
      needs: ["pool"],
      async run({ pool }) {
        const { ready, sh } = await pool(2);
        for (let time = 0; time < 2; time += 1) {
          await ready();
          const runs = Array.from({ length: 6 }, (_, index) => sh(["echo $1", String(index)]));
          const outs = (await Promise.all(runs)).map((ran) => succeeded(ran).out);
          assert.deepEqual(outs, ["0\n", "1\n", "2\n", "3\n", "4\n", "5\n"]);
        }
        await ready();
      },
    },
    {
      title: "a stream that a waiting sandbox cannot be given is CONFIG_INVALID",
      needs: ["pool"],
      async run({ pool }) {
        const { sh } = await pool(1);
        for (const [path, options] of [
          ["stdin", { stdin: "inherit" }],
          ["stdin", { stdin: { file: "/etc/passwd" } }],
          ["stdout", { stdout: { fd: 1 } }],
          ["stderr", { stderr: "inherit" }],
          ["stdout", { stdout: "pipe" }],
          ["maxOutput", { maxOutput: -1 }],
        ] as readonly [string, PooledOptions][])
          assert.equal((await refused(sh(":", options), "CONFIG_INVALID")).path, path);
        assert.equal(succeeded(await sh("echo on")).out, "on\n");
      },
    },
    {
      title: "the streams of a spawned command flow, and outputs go together or are discarded",
      needs: ["pool"],
      async run({ pool, words }) {
        const { sh, spawn } = await pool(1);
        const child = spawn(words("echo ready >&2; read word; echo got $word; exit 7"));
        assert.equal(await nextText(child.stderr), "ready\n");
        child.stdin?.end("word\n");
        assert.equal(await nextText(child.stdout), "got word\n");
        assert.equal((await child.result).exitCode, 7);
        const both = succeeded(await sh("echo out; echo err >&2", { stderr: "stdout" }));
        assert.deepEqual([both.out, both.stderr], ["out\nerr\n", undefined]);
        const one = succeeded(await sh("echo out; echo err >&2", { stdout: "discard" }));
        assert.deepEqual([one.stdout, one.err], [undefined, "err\n"]);
        assert.equal(succeeded(await sh("cat; echo end")).out, "end\n");
      },
    },
    {
      title: "a run is ended by its wallTime, an AbortSignal, a signal and maxOutput",
      needs: ["pool", "limit.wallTime"],
      async run({ pool, words }) {
        const [timed, { sh, spawn }] = [await pool(1, { limits: { wallTime: 1 } }), await pool(2)];
        const aborted = await sh(FOREVER, { signal: AbortSignal.abort() });
        const much = await sh("while :; do echo word; done", { maxOutput: 5000 });
        const child = spawn(words(`trap 'exit 42' TERM; ${FOREVER}`));
        assert.equal(await nextText(child.stdout), "ready\n");
        child.stdout?.resume();
        assert.equal(child.kill(), true);
        assert.equal((await child.result).exitCode, 42);
        const late = await timed.sh(FOREVER);
        assert.deepEqual(
          [aborted.outcome, much.outcome, late.outcome],
          ["aborted", "limit-exceeded", "timed-out"],
        );
      },
    },
    {
      title: "a command that cannot be started says why, and the pool goes on",
      needs: ["pool", "root"],
      async run({ pool }) {
        const { run, sh } = await pool(1);
        await refused(run(["no-such-program"]), "COMMAND_NOT_FOUND");
        await refused(run(["/data"]), "COMMAND_NOT_EXECUTABLE");
        assert.equal((await refused(run([]), "CONFIG_INVALID")).path, "command");
        assert.equal(succeeded(await sh("echo on")).out, "on\n");
      },
    },
  ],
};
