import assert from "node:assert/strict";
import { once } from "node:events";
import type { ConfigInput, SandboxChild } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";

/** With the devices that a terminal needs, and those that the shell does. */
const DEV: ConfigInput = {
  mounts: [
    { type: "proc", target: "/proc" },
    { type: "dev", target: "/dev" },
  ],
};
const NEEDS = ["tty", "mount.dev", "mount.proc"] as const;
const TTY = { tty: true } as const;

export const tty: Topic = {
  title: "terminals",
  cases: [
    {
      title: "without one the program has no controlling terminal",
      needs: ["mount.dev"],
      async run({ sh }) {
        const mounts = DEV.mounts?.slice(1);
        const { err, exitCode } = await sh(": </dev/tty; exit 7", { mounts });
        assert.match(err, /\/dev\/tty: No such device or address/);
        assert.notEqual(exitCode, 0);
      },
    },
    {
      title: "one is refused where there is none to give",
      lacks: ["tty"],
      async run({ sh }) {
        await refused(sh("exit 7", {}, TTY), "CAPABILITY_UNSUPPORTED");
      },
    },
    {
      title: "one is all three standard streams, has a name, and is the controlling one",
      needs: NEEDS,
      proves: ["tty"],
      async run({ sh }) {
        const script =
          '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done; echo "to $1" >/dev/tty';
        const { out, stderr } = succeeded(await sh([script, "it"], DEV, TTY));
        const name = /^(\/dev\/pts\/\d+)\r\n/.exec(out)?.[1];
        assert.equal(out, `${`${name}\r\n`.repeat(3)}to it\r\n`);
        assert.equal(stderr, undefined);
      },
    },
    {
      title: "there is no terminal of anybody else",
      needs: NEEDS,
      async run({ sh }) {
        const { out } = succeeded(await sh("echo /dev/pts/*", DEV, TTY));
        assert.match(out, /^\/dev\/pts\/\d+ \/dev\/pts\/ptmx\r\n$/);
      },
    },
    {
      title: "it has the size that was asked for, and another one when it is told",
      needs: NEEDS,
      tools: ["stty"],
      async run({ sh, spawn }) {
        const sized = { tty: { columns: 132, rows: 43 } };
        assert.equal(succeeded(await sh("stty size", DEV, sized)).out, "43 132\r\n");
        const script = "trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.1; done";
        const child = await spawn(script, DEV, TTY);
        const shown = reader(child);
        await shown("ready");
        assert.equal(child.resize(101, 51), true);
        await shown("51 101");
        assert.equal((await child.result).exitCode, 7);
        assert.equal(child.resize(80, 24), false);
      },
    },
    {
      title: "what is typed arrives, and its end is the end of the file",
      needs: NEEDS,
      async run({ sh }) {
        const typed = (data: string) => sh("cat; exit 7", DEV, { ...TTY, stdin: { data } });
        for (const [data, shown] of [
          ["", ""],
          ["a line\n", "a line\r\na line\r\n"],
          ["half a line", "half a linehalf a line"],
        ] as const) {
          const { exitCode, out } = await typed(data);
          assert.deepEqual([exitCode, out], [7, shown]);
        }
        assert.equal((await sh("cat; exit 7", DEV, TTY)).exitCode, 7);
      },
    },
    {
      title: "control characters are signals to the program",
      needs: [...NEEDS, "exit.signal"],
      async run({ spawn }) {
        const child = await spawn("echo ready; while :; do sleep 1; done", DEV, TTY);
        await reader(child)("ready");
        child.stdin?.write("\x03");
        assert.equal((await child.result).signal, "SIGINT");
      },
    },
    {
      title: "a mebibyte passes through in both directions, unchanged in raw mode",
      needs: NEEDS,
      tools: ["stty"],
      async run({ spawn }) {
        const script = "stty raw -echo; echo ready; head -c 1048576";
        const child = await spawn(script, DEV, TTY);
        await reader(child)("ready");
        const data = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => (index * 7) % 256));
        const chunks: Buffer[] = [];
        child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
        const over = child.stdout === null ? undefined : once(child.stdout, "end");
        child.stdin?.write(data);
        assert.equal((await child.result).exitCode, 0);
        await over;
        assert(Buffer.concat(chunks).subarray(-data.length).equals(data));
      },
    },
    {
      title: "what was shown last is not lost, and the time limit keeps what was shown",
      needs: [...NEEDS, "limit.wallTime"],
      async run({ sh }) {
        const many = "i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done; exit 7";
        const ran = await sh(many, DEV, TTY);
        assert.deepEqual([ran.exitCode, ran.out.slice(-6)], [7, "4999\r\n"]);
        const late = await sh(
          "echo said; while :; do sleep 1; done",
          { ...DEV, limits: { wallTime: 3 } },
          TTY,
        );
        assert.deepEqual([late.outcome, late.out], ["timed-out", "said\r\n"]);
      },
    },
    {
      title: "a program that leaves its terminal to others, and goes on, keeps it",
      needs: NEEDS,
      async run({ sh }) {
        const script =
          "exec 3<&0 </dev/null >/dev/null 2>&1 3<&-; sleep 0.3; echo back >/dev/tty; exit 7";
        const { exitCode, out } = await sh(script, DEV, TTY);
        assert.deepEqual([exitCode, out], [7, "back\r\n"]);
      },
    },
    {
      title: "streams that a terminal cannot have are CONFIG_INVALID, and so is one without a dev",
      needs: NEEDS,
      async run({ sh }) {
        for (const [path, options] of [
          ["stdin", { stdin: "inherit" }],
          ["stdout", { stdout: "inherit" }],
          ["stderr", { stderr: "capture" }],
          ["tty.columns", { tty: { columns: -1, rows: 1 } }],
          ["tty.rows", { tty: { columns: 1, rows: 65_536 } }],
        ] as const) {
          const error = await refused(sh(":", DEV, { ...TTY, ...options }), "CONFIG_INVALID");
          assert.equal(error.path, path);
        }
        const error = await refused(sh(":", { mounts: [] }, TTY), "CONFIG_INVALID");
        assert.equal(error.path, "tty");
      },
    },
    {
      title: "a run in a pool may have one, a command of a session may not",
      needs: [...NEEDS, "pool", "session"],
      async run({ pool, session }) {
        const pooled = await pool(1, DEV);
        const { out } = succeeded(await pooled.sh("[ -t 0 ] && echo yes", TTY as object));
        assert.equal(out, "yes\r\n");
        const { sh } = await session(DEV);
        const error = await refused(sh(":", TTY as object), "CONFIG_INVALID");
        assert.equal(error.path, "tty");
      },
    },
  ],
};

/** Waits until a child has shown a text; fails when it ends first. */
function reader({ stdout }: SandboxChild): (text: string) => Promise<void> {
  let shown = "";
  let changed = (): void => undefined;
  let isOver = false;
  stdout?.on("data", (chunk: Buffer) => {
    shown += chunk.toString("latin1");
    changed();
  });
  stdout?.on("close", () => {
    isOver = true;
    changed();
  });
  return async (text) => {
    while (!shown.includes(text)) {
      assert(!isOver, `${JSON.stringify(shown)} does not contain ${JSON.stringify(text)}`);
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
}
