import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, runSandbox, sandboxlib } from "./support/cli.js";
import { scratch } from "./support/scratch.js";

const SCHEMA = "`sandboxlib schema` has every field.";
const SECONDS =
  "Write digits, and ms, s, m or h after them for milliseconds, seconds, minutes or hours.";
const BYTES = "Write digits, and k, m or g after them for KiB, MiB or GiB.";

/** All that a wrong command line says: a message, and a hint where there is one. */
async function said(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const cwd = scratch();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const { exitCode, stdout, stderr } = await runSandbox([...args, "--", "true"], { cwd });
  return [exitCode, stdout, stderr.replaceAll(cwd, "DIR")];
}

const lines = (message: string, hint?: string): string =>
  `sandboxlib: ${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`;

test.each([
  [["--timeout", "0"], "limits.wallTime: 0 must be more than 0 (--timeout 0)", SCHEMA],
  [["--timeout", "1e99"], '--timeout: "1e99" is not a number of seconds', SECONDS],
  [["--memory", "1e99"], '--memory: SIZE "1e99" is not a number of bytes', BYTES],
  [["--memory", "1.5"], '--memory: SIZE "1.5" is not a number of bytes', BYTES],
  [["--processes", "1.5"], '--processes: "1.5" is not a whole number'],
  [
    ["--netwrok", "host"],
    "--netwrok: unknown option. Did you mean --network?",
    "See `sandboxlib run --help`.",
  ],
])("%j: the words of the option, and what is right", async (args, message, hint?: string) => {
  expect(await said(args)).toEqual([2, "", lines(message, hint)]);
});

test.each([
  [
    '{"writable": "/tmp"}',
    'writable: "/tmp" must be "all" or a list (in "c.json")',
    'Write a list: `["/tmp"]`.',
  ],
  ['{"netwrok": "host"}', 'netwrok: unknown key (in "c.json")', "Did you mean `network`?"],
  [
    '{"limits": {"memory": 1e99}}',
    'limits.memory: 1e+99 must be at most 9007199254740991 (in "c.json")',
    SCHEMA,
  ],
  [
    '{"limits": {"processes": 1.5}}',
    'limits.processes: 1.5 must be a whole number (in "c.json")',
    SCHEMA,
  ],
])("the config %s: the words of the file, and what is right", async (text, message, hint) => {
  const args = ["--config", "c.json"];
  expect(await said(args, { "c.json": text })).toEqual([2, "", lines(message, hint)]);
});

test.each([
  [
    "missing.tar",
    'root: "DIR/missing.tar" does not exist, or cannot be reached (ROOT missing.tar)',
  ],
  ["empty", '"DIR/empty" is an empty file, and neither a directory nor an image'],
])("%s is no root, and no command is blamed for it", async (root, message) => {
  expect(await said([root], { empty: "" })).toEqual([125, "", lines(message)]);
});

test.each([["run-sandbox"], ["sandboxlib image inspect"]])(
  "a FIFO is no image, and nobody waits for what is in it: %s",
  async (command) => {
    const cwd = scratch();
    expect(spawnSync("mkfifo", [join(cwd, "fifo")]).status).toBe(0);
    const ran =
      command === "run-sandbox"
        ? await runSandbox(["fifo", "--", "true"], { cwd })
        : await sandboxlib(["image", "inspect", "fifo"], { cwd });
    expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([
      125,
      "",
      lines(`"${cwd}/fifo" is a FIFO, and an image is a file or a directory`),
    ]);
  },
);

await describeWith("bubblewrap", "a limit that holds for the tool, too", () => {
  test("is refused where the tool could not set the sandbox up", async () => {
    const args = ["--backend", "bubblewrap", "--cwd", "/", "--open-files", "8"];
    const message =
      "limits.openFiles: 8 is too few for the tool that sets the sandbox up, which needs 16 (--open-files 8)";
    const hint =
      "Ask for more, or use the backend namespaces, which sets the limit for the program alone.";
    expect(await said(args)).toEqual([125, "", lines(message, hint)]);
    expect(await said([...args.slice(0, -1), "16"])).toEqual([0, "", ""]);
  });
});

await describeWith("namespaces", "what only a backend can tell", () => {
  test("a directory below /tmp that is nowhere is not blamed on the tmpfs", async () => {
    const args = ["--backend", "namespaces", "--cwd", "/tmp/no-such"];
    const message = 'cwd: "/tmp/no-such" does not exist (--cwd /tmp/no-such)';
    expect(await said(args)).toEqual([125, "", lines(message)]);
  });

  test("nothing is to be made writable in a /dev of the sandbox's own, which is so already", async () => {
    const args = ["--backend", "namespaces", "--cwd", "/"];
    const message =
      'writable[0]: "/dev" is the target of mounts[1], a dev of the sandbox\'s own, in which nothing of the host can be written (--writable /dev)';
    const hint = "Leave it out: what can be written there is writable already.";
    expect(await said([...args, "--writable", "/dev"])).toEqual([125, "", lines(message, hint)]);
    const write = ["--", "sh", "-c", "echo x > /dev/shm/file && cat /dev/shm/file"];
    expect(await runSandbox([...args, ...write])).toMatchObject({ exitCode: 0, stdout: "x\n" });
  });
});

await describeWith("chroot", "what a weak backend lacks", () => {
  test("is named whole, and the hint lets all of it go", async () => {
    const needs = "isolate.ipc isolate.uts isolate.user isolate.cgroup".split(" ");
    const prefer = ["writable.paths", ...needs, "network.none"].flatMap((need) => [
      "--prefer",
      need,
    ]);
    const args = ["--backend", "chroot", "--cwd", "/"];
    expect(await said(args)).toEqual([
      125,
      "",
      lines(
        `writable: needs writable.paths, and the backend chroot does not enforce it. Not met either: isolate needs ${needs.join(", ")}; network needs network.none`,
        `Use a backend that enforces them, change --writable, --isolate, --network, or let them go with ${prefer.join(" ")}.`,
      ),
    ]);
    expect(await said(["--quiet", ...args, ...prefer])).toEqual([0, "", ""]);
  });
});

/** Mounts a file system of FUSE, and gives up its only fd. */
const DEAD =
  'exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 none "$0" && exec 3<&- && exec "$@"';
const why = spawnSync("unshare", ["--mount", "sh", "-c", DEAD, "/tmp", "true"]).status;
const noFuse = why === 0 ? "" : " (skipped: this user cannot mount FUSE)";

test.skipIf(noFuse !== "").each([
  [
    ["--no-default-mounts", "--cwd", "DIR"],
    'cwd: "DIR" cannot be looked up: what is mounted on the way has lost its server (ENOTCONN) (--cwd DIR)',
  ],
  [
    ["--bind", "DIR:/mnt"],
    'mounts[0].source: "DIR" does not exist on the host, or cannot be reached (--bind DIR:/mnt)',
  ],
  [["--root", "DIR"], 'root: "DIR" does not exist, or cannot be reached (--root DIR)'],
  [["DIR/a.tar"], 'root: "DIR/a.tar" does not exist, or cannot be reached (ROOT DIR/a.tar)'],
])(`%j in a file system whose server has died is named, at once${noFuse}`, (args, message) => {
  const dead = scratch();
  const words = args.map((word) => word.replace("DIR", dead));
  const run = [process.execPath, BIN["run-sandbox"], ...words, "--", "true"];
  const ran = spawnSync("unshare", ["--mount", "sh", "-c", DEAD, dead, ...run], {
    encoding: "utf8",
  });
  expect([ran.status, ran.stderr.replaceAll(dead, "DIR")]).toEqual([125, lines(message)]);
});
