import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { isSandboxError } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import { inEveryWay } from "../ways.js";

const WORDS = [
  "",
  " ",
  "a b",
  "'",
  '"',
  "\\",
  "line\nbreak",
  "\ttab",
  "-x",
  "--",
  "--help",
  "-",
  "$HOME",
  "`id`",
  "$(id)",
  "*",
  "?",
  ";",
  "&",
  "|",
  "%s",
  "ünïcödé ✓",
  "\u0001\u007f",
  "=",
  "a=b",
  "",
  "x".repeat(100_000),
];

const PROC = { mounts: [{ type: "proc", target: "/proc" }] } as const;

export const commands: Topic = {
  title: "commands",
  isBare: true,
  cases: [
    {
      title: "words that are not UTF-8 arrive as they are, or are refused by name",
      async run({ run }) {
        const bytes = Buffer.from([0x63, 0xe9, 0xff, 0x01, 0x80]);
        try {
          const { stdout } = succeeded(await run(["sh", "-c", 'printf %s "$1"', "sh", bytes]));
          assert.deepEqual(Buffer.from(stdout ?? []), bytes);
        } catch (error) {
          if (!isSandboxError(error)) throw error;
          assert.deepEqual([error.code, error.path], ["CONFIG_INVALID", "command[4]"]);
        }
      },
    },
    {
      title: "half of a surrogate pair is refused, in a word and in a variable",
      async run({ run }) {
        const half = "caf\ud800";
        const { path } = await refused(run(["echo", half]), "CONFIG_INVALID");
        assert.equal(path, "command[1]");
        await refused(run(["echo"], { env: { X: half } }), "CONFIG_INVALID");
      },
    },
    {
      title: "every argument arrives as it was given",
      async run({ sh }) {
        const { out } = succeeded(await sh([`printf '%s\\0' "$@"`, ...WORDS]));
        assert.deepEqual(out.split("\0").slice(0, -1), WORDS);
      },
    },
    {
      title: "a thousand arguments arrive",
      async run({ sh }) {
        const words = Array.from({ length: 1000 }, (_, index) => `word ${index}`);
        const { out } = succeeded(await sh([`printf '%s\\n' "$@"`, ...words]));
        assert.deepEqual(out.trimEnd().split("\n"), words);
      },
    },
    {
      title: "a command that looks like an option is a command",
      needs: ["root"],
      async run({ put, run }) {
        for (const name of ["--help", "--version", "--", "-c", "--bind"]) {
          put(`/bin/${name}`, '#!/bin/sh\necho "ran $#"\n');
          const { out } = succeeded(await run([name, "--dir", "/x"]));
          assert.equal(out, "ran 2\n", name);
        }
      },
    },
    {
      title: "a command that does not exist is COMMAND_NOT_FOUND",
      async run({ kit, sandbox }) {
        const made = await sandbox(kit.has.has("mount.proc") ? PROC : {});
        const names = [
          "no-such-program",
          "/bin/no-such-program",
          "/bin/sh/no",
          "--no-such-option",
          "",
        ];
        // Only the kernel can tell what is wrong with these.
        if (kit.has.has("mount.proc")) names.push("/proc/self/no-such-program");
        for (const name of names) {
          const { path, hint } = await refused(made.run([name, "word"]), "COMMAND_NOT_FOUND");
          assert.deepEqual([path, hint !== undefined], ["command", true], name);
        }
      },
    },
    {
      title: "a spawned command that cannot be started rejects the result, and is never thrown",
      async run({ sandbox }) {
        const made = await sandbox();
        for (const [name, code] of [
          ["no-such-program", "COMMAND_NOT_FOUND"],
          ["/", "COMMAND_NOT_EXECUTABLE"],
        ] as const) {
          const { stdout, result } = made.spawn([name]);
          assert.equal((await refused(result, code)).path, "command");
          assert.deepEqual(await stdout?.toArray(), []);
        }
      },
    },
    {
      title: "a command that cannot be executed is COMMAND_NOT_EXECUTABLE, whatever keeps it",
      needs: ["root"],
      async run({ allow, kit, put, root, sandbox }) {
        const names = [
          "/data",
          put("/work/plain", "#!/bin/sh\n", 0o644),
          put("/work/script", "#!/no/such/interpreter\n"),
          put("/work/denied", "#!/work/plain\n"),
          put("/work/bare", "#!\n"),
          put("/work/circle", "#!/work/circle\n"),
          put("/work/empty", ""),
          put("/work/text", "exit 0\n"),
          put("/work/cut", "\u007fELF"),
          "/work/loop",
        ];
        symlinkSync("loop", join(root, "work/loop"));
        allow("/work/loop");
        if (kit.has.has("mount.proc")) names.push("/proc/version");
        const made = await sandbox(kit.has.has("mount.proc") ? PROC : {});
        for (const name of names) {
          const { path, hint } = await refused(made.run([name]), "COMMAND_NOT_EXECUTABLE");
          assert.deepEqual([path, hint !== undefined], ["command", true], name);
        }
      },
    },
    ...inEveryWay("a command that is too long is LAUNCH_FAILED, with a hint", async (spawn) => {
      const start = async (words: readonly [string, ...string[]]): Promise<unknown> =>
        (await spawn([":", ...words])).result;
      const many = Array.from({ length: 100 }, () => "x".repeat(100_000));
      for (const words of [["x".repeat(200_000)], many] as [string, ...string[]][]) {
        const { hint } = await refused(start(words), "LAUNCH_FAILED");
        assert(hint?.includes("128 KiB"), hint);
      }
    }),
    {
      title: "a run without a command is CONFIG_INVALID",
      async run({ run }) {
        const { path } = await refused(run([]), "CONFIG_INVALID");
        assert.equal(path, "command");
      },
    },
  ],
};
