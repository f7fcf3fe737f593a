import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Capability, type ConfigInput, isSandboxError } from "@sandboxlib/core";
import type { Case, Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import type { Context } from "../context.js";

const BUSY = "while :; do :; done";
const WRITE = 'while :; do echo 0123456789abcde; done > "$1"';
const SIZE = 65_536;

/** What `ulimit` of a shell calls each limit, what it is set to here, and what `ulimit` says then. */
const SET = {
  cpuTime: { letter: "t", value: 60, said: "60" },
  addressSpace: { letter: "v", value: 2 ** 32, said: String(2 ** 22) },
  fileSize: { letter: "f", value: 2 ** 20, said: "2048" },
  openFiles: { letter: "n", value: 60, said: "60" },
  stack: { letter: "s", value: 2 ** 22, said: "4096" },
  coreSize: { letter: "c", value: 2 ** 20, said: "2048" },
} as const;

type Name = keyof typeof SET;
const NAMES = Object.keys(SET) as Name[];

const enforced = (name: Name): Capability => `limit.${name}`;

export const limits: Topic = {
  title: "limits",
  cases: [
    ...NAMES.map(isSet),
    {
      title: "limits that are not asked for are the caller's",
      needs: [enforced("openFiles")],
      async run({ sh }) {
        const own = /^Max open files\s+\S+\s+(\S+)/m.exec(
          readFileSync("/proc/self/limits", "utf8"),
        );
        assert.equal(succeeded(await sh("ulimit -H -n")).out, `${own?.[1]}\n`);
      },
    },
    {
      title: "a program that uses up limits.cpuTime is ended, and the outcome says so",
      needs: [enforced("cpuTime")],
      async run({ sh }) {
        const { outcome, exceeded, usage } = await sh(BUSY, { limits: { cpuTime: 0.5 } });
        assert.deepEqual(
          [outcome, exceeded],
          ["limit-exceeded", { limit: "cpuTime", seconds: 0.5 }],
        );
        assert(usage.wallTime >= 0.9, `took ${usage.wallTime} s`);
      },
    },
    {
      title: "a program that ignores SIGXCPU is killed a second later, and the outcome says why",
      needs: [enforced("cpuTime")],
      async run({ sh }) {
        const ran = await sh(`trap "" XCPU; ${BUSY}`, { limits: { cpuTime: 1 } });
        assert.deepEqual(ran.exceeded, { limit: "cpuTime", seconds: 1 });
      },
    },
    {
      title: "SIGKILL that somebody else sends is no exceeded limit",
      needs: [enforced("cpuTime"), "exit.signal"],
      async run({ sh }) {
        const { outcome, signal } = await sh("kill -KILL $$", { limits: { cpuTime: 60 } });
        assert.deepEqual([outcome, signal], ["signaled", "SIGKILL"]);
      },
    },
    {
      title: "a file grows to limits.fileSize and no further, and the outcome says so",
      needs: [enforced("fileSize")],
      async run(context) {
        const { config, file, path } = writing(context);
        const { outcome, exceeded } = await context.sh([WRITE, path], config);
        assert.deepEqual(
          [outcome, exceeded],
          ["limit-exceeded", { limit: "fileSize", bytes: SIZE }],
        );
        assert.equal(statSync(file).size, SIZE);
      },
    },
    {
      title: "a program that a limit gives an error only ends as it wishes",
      needs: [enforced("fileSize"), enforced("cpuTime")],
      async run(context) {
        const script = `(${WRITE}) 2>&-; (${BUSY}); exit 7`;
        const { config, path } = writing(context);
        const limits = { fileSize: SIZE, cpuTime: 1 };
        const ran = await context.sh([script, path], { ...config, limits });
        assert.deepEqual([ran.outcome, ran.exitCode], ["exited", 7]);
      },
    },
    {
      title: "a program that asks for more than limits.addressSpace gets no more, and fails",
      needs: [enforced("addressSpace")],
      async run({ sh }) {
        const grow = "x=0123456789abcdef; while :; do x=$x$x; done";
        const { outcome, exitCode } = await sh(grow, { limits: { addressSpace: 2 ** 27 } });
        assert(
          outcome === "signaled" || (outcome === "exited" && exitCode !== 0),
          `the run ended as ${outcome} ${exitCode}`,
        );
      },
    },
    {
      title: "few open files are enough for the program, or refused before anything is set up",
      needs: [enforced("openFiles")],
      async run({ sandbox, words }) {
        for (const openFiles of [5, 8, 12, 16]) {
          try {
            const made = await sandbox({ limits: { openFiles } });
            const { outcome, stdout } = await made.run(words("ulimit -n"));
            const said = Buffer.from(stdout ?? []).toString();
            assert.deepEqual([outcome, said], ["exited", `${openFiles}\n`]);
          } catch (error) {
            if (!isSandboxError(error) || error.code !== "LAUNCH_FAILED") throw error;
            assert.equal(error.path, "limits.openFiles");
            assert(openFiles < 16);
          }
        }
      },
    },
    {
      title: "a limit that the kernel does not allow is refused, and named",
      needs: [enforced("openFiles")],
      async run({ sh }) {
        const value = 2_147_483_647;
        const error = await refused(sh(":", { limits: { openFiles: value } }), "LAUNCH_FAILED");
        assert.equal(error.path, "limits.openFiles");
        assert(error.message.includes(String(value)), error.message);
      },
    },
    {
      title: "a core dump is told, and there is none with limits.coreSize 0",
      needs: [enforced("coreSize"), "exit.signal"],
      skip: noCoreFiles,
      async run(context) {
        const { config, path } = writing(context);
        const crash = (coreSize: number) =>
          context.sh("kill -SEGV $$", { ...config, cwd: dirname(path), limits: { coreSize } });
        const [without, dumped] = [await crash(0), await crash(2 ** 30)];
        assert.deepEqual([without.signal, without.coreDumped], ["SIGSEGV", undefined]);
        assert.equal(dumped.signal, "SIGSEGV");
        // A backend that cannot tell signals may not be able to tell this either.
        if (dumped.usage.userTime !== undefined) assert.equal(dumped.coreDumped, true);
      },
    },
    {
      title: "a command of a session has limits of its own",
      needs: [enforced("openFiles"), "session"],
      async run({ session }) {
        const { sh } = await session({ limits: { openFiles: 60 } });
        const own = { limits: { openFiles: 50 } };
        assert.equal(succeeded(await sh("ulimit -H -n", own)).out, "50\n");
        assert.equal(succeeded(await sh("ulimit -H -n")).out, "60\n");
        const tooMany = sh(":", { limits: { openFiles: 2_147_483_647 } });
        assert.equal((await refused(tooMany, "LAUNCH_FAILED")).path, "limits.openFiles");
        assert.equal(succeeded(await sh("ulimit -H -n")).out, "60\n");
      },
    },
    {
      title: "a command of a session that uses up its cpuTime is ended, and no other",
      needs: [enforced("cpuTime"), "session"],
      async run({ session }) {
        const { sh } = await session();
        const ran = await sh(BUSY, { limits: { cpuTime: 1 } });
        assert.deepEqual(ran.exceeded, { limit: "cpuTime", seconds: 1 });
        assert.equal(succeeded(await sh("ulimit -H -t; echo on")).out, "unlimited\non\n");
      },
    },
    {
      title: "a run in a pool has the limits of its config",
      needs: [enforced("openFiles"), "pool"],
      async run({ pool }) {
        const { sh } = await pool(1, { limits: { openFiles: 60 } });
        assert.equal(succeeded(await sh("ulimit -H -n")).out, "60\n");
      },
    },
  ],
};

function isSet(name: Name): Case {
  const { letter, value, said } = SET[name];
  return {
    title: `limits.${name} is set, soft and hard`,
    needs: [enforced(name)],
    proves: [enforced(name)],
    async run({ sh }) {
      const { out } = succeeded(
        await sh(`ulimit -S -${letter}; ulimit -H -${letter}`, { limits: { [name]: value } }),
      );
      const hard = name === "cpuTime" ? String(value + 1) : said;
      assert.equal(out, `${said}\n${hard}\n`);
    },
  };
}

/** A file that can be written, up to the size: inside, on the host, and with which config. */
function writing({ allow, kit, root, scratch }: Context) {
  const hasRoot = kit.has.has("root");
  const directory = hasRoot ? "/work" : scratch;
  allow("/work");
  const config: ConfigInput = {
    limits: { fileSize: SIZE },
    ...(!hasRoot && { mounts: [], cwd: "/" }),
    ...(kit.has.has("writable.paths") && { writable: [directory] }),
  };
  const path = `${directory}/out`;
  return { config, path, file: hasRoot ? join(root, path) : path };
}

function noCoreFiles(): string | undefined {
  const pattern = readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim();
  return /^[\w.%-]+$/.test(pattern) ? undefined : `core files go to ${pattern} on this host`;
}
