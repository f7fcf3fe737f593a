import assert from "node:assert/strict";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import { readable } from "../opened.js";

/** Leaves a process that runs on with no stream of its own, and tells its pid. */
const BACKGROUND = `sh -c 'while :; do sleep 1; done' "$0" <&- >&- 2>&- & echo $!`;
const TMP = { mounts: [{ type: "tmpfs", target: "/tmp" }] } as const;

export const session: Topic = {
  title: "sessions",
  cases: [
    {
      title: "a session is refused, because the backend has none",
      lacks: ["session"],
      async run({ kit, sandbox }) {
        const error = await refused((await sandbox()).openSession(), "CAPABILITY_UNSUPPORTED");
        assert.equal(error.backend, kit.backend.name);
        assert(error.message.includes("session") && error.hint !== undefined, error.message);
      },
    },
    {
      title: "a command finds in a tmpfs what another has left there, a program among it",
      needs: ["session", "root", "mount.tmpfs"],
      tools: ["chmod"],
      async run({ session }) {
        const { run, sh } = await session(TMP);
        succeeded(await sh("mkdir /tmp/made; printf '#!/bin/sh\\npwd\\n' > /tmp/made/tool"));
        succeeded(await sh("chmod 755 /tmp/made/tool"));
        const found = readable(await run(["./tool"], { cwd: "/tmp/made" }));
        assert.equal(succeeded(found).out, "/tmp/made\n");
      },
    },
    {
      title: "a process that a command leaves is seen by the next, which can end it",
      needs: ["session", "isolate.pid"],
      async run({ session }) {
        const { sh } = await session();
        const pid = succeeded(await sh(BACKGROUND)).out.trim();
        succeeded(await sh(['kill -0 "$1"', pid]));
        succeeded(await sh(['kill -KILL "$1"; while kill -0 "$1" 2>&-; do sleep 0.1; done', pid]));
      },
    },
    {
      title: "two sessions of one sandbox see neither files nor processes of each other",
      needs: ["session", "root", "mount.tmpfs", "isolate.pid"],
      async run({ session }) {
        const [one, two] = [await session(TMP), await session(TMP)];
        const pid = succeeded(await one.sh(`echo x > /tmp/file; ${BACKGROUND}`)).out.trim();
        const script = 'ls -A /tmp; kill -KILL "$1" 2>&-; :';
        assert.equal(succeeded(await two.sh([script, pid])).out, "");
        assert.equal(succeeded(await one.sh(['kill -0 "$1"; ls /tmp', pid])).out, "file\n");
      },
    },
    {
      title: "what a session had in a tmpfs is gone with it",
      needs: ["session", "root", "mount.tmpfs"],
      async run({ sandbox, words }) {
        const made = await sandbox(TMP);
        for (let time = 0; time < 2; time += 1) {
          const opened = await made.openSession();
          const result = await opened.run(words("ls -A /tmp; echo x > /tmp/file"));
          await opened.close();
          assert.equal(succeeded(readable(result)).out, "");
        }
      },
    },
    {
      title: "a command has its own environment and working directory, and the next the config's",
      needs: ["session", "root", "cwd"],
      async run({ session }) {
        const env = { PATH: "/bin", NAME: "config" };
        const { sh } = await session({ env, cwd: "/data" });
        const script = 'echo "$NAME $OTHER $PWD"; pwd -P';
        const own = { env: { PATH: "/bin", OTHER: "own" }, cwd: "/work" };
        assert.equal(succeeded(await sh(script, own)).out, " own /work\n/work\n");
        assert.equal(succeeded(await sh(script)).out, "config  /data\n/data\n");
        const elsewhere = await sh(script, { cwd: "/data/deep" });
        assert.equal(succeeded(elsewhere).out, "config  /data/deep\n/data/deep\n");
      },
    },
    {
      title: "a command that cannot be started says why, and the session goes on",
      needs: ["session", "root"],
      async run({ put, session }) {
        const plain = put("/work/plain", "#!/bin/sh\n", 0o644);
        const { run, sh } = await session();
        await refused(run(["no-such-program"]), "COMMAND_NOT_FOUND");
        await refused(run(["/bin/sh/no"]), "COMMAND_NOT_FOUND");
        await refused(run([plain]), "COMMAND_NOT_EXECUTABLE");
        await refused(run(["/data"]), "COMMAND_NOT_EXECUTABLE");
        for (const cwd of ["/no/such", "/data/file"])
          assert.equal((await refused(sh(":", { cwd }), "PATH_INVALID")).path, "cwd");
        assert.equal(succeeded(await sh("echo on")).out, "on\n");
      },
    },
    {
      title: "options with a fault are CONFIG_INVALID, and the session goes on",
      needs: ["session"],
      async run({ session }) {
        const { run, sh } = await session();
        for (const [path, attempt] of [
          ["command", () => run([])],
          ["command[1]", () => run(["sh", "a\0b"])],
          ["cwd", () => sh(":", { cwd: "relative" })],
          ["env", () => sh(":", { env: { "A=B": "c" } })],
          ["limits.wallTime", () => sh(":", { limits: { wallTime: -1 } })],
          ["maxOutput", () => sh(":", { maxOutput: -1 })],
          ["stdin", () => sh(":", { stdin: "pipe" })],
        ] as const)
          assert.equal((await refused(attempt(), "CONFIG_INVALID")).path, path);
        assert.equal(succeeded(await sh("echo on")).out, "on\n");
      },
    },
    {
      title: "a result tells what was enforced, as that of a run does",
      needs: ["session"],
      async run({ session, sh }) {
        const opened = await session();
        const [alone, inside] = [succeeded(await sh(":")), succeeded(await opened.sh(":"))];
        assert.deepEqual(inside.enforcement, alone.enforcement);
        assert.deepEqual([inside.backend, opened.backend], [alone.backend, alone.backend]);
      },
    },
  ],
};
