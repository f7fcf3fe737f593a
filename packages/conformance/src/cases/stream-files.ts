import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { ConfigInput, RunOptions } from "@sandboxlib/core";
import type { Case, Topic } from "../case.js";
import { refused, succeeded } from "../check.js";
import type { Context } from "../context.js";
import type { Ran, Script } from "../opened.js";

const PROC = { mounts: [{ type: "proc", target: "/proc" }] } as const;
/** Set-id bits on a file of root's would be root's power for whoever finds it. */
const CHANGE = "for fd in 0 1 2; do chmod 6777 /proc/self/fd/$fd; done";
const MODE = 0o640;

type Sh = (script: Script, extra: ConfigInput, options: Streams) => Promise<Ran>;
type Streams = Omit<RunOptions, "passFds" | "tty">;

/** A rule that holds where streams can be files: in a run and in a session. */
function inBoth(
  title: string,
  run: (sh: Sh, context: Context) => Promise<void>,
  more: Omit<Case, "title" | "run"> = {},
): Case[] {
  const inSession =
    ({ session }: Context): Sh =>
    async (script, extra, options) =>
      (await session(extra)).sh(script, options);
  const { needs = [] } = more;
  return [
    { ...more, title: `${title}, in a run`, run: (context) => run(context.sh, context) },
    {
      ...more,
      title: `${title}, in a session`,
      needs: [...needs, "session"],
      run: (context) => run(inSession(context), context),
    },
  ];
}

function files(scratch: string): string[] {
  return ["in", "out", "err"].map((name) => {
    const path = join(scratch, name);
    writeFileSync(path, "line\n");
    chmodSync(path, MODE);
    return path;
  });
}

/** Opens files for appending, for as long as something lasts. */
async function appending<Value>(
  paths: readonly string[],
  act: (...fds: number[]) => Promise<Value>,
): Promise<Value> {
  const fds = paths.map((path) => openSync(path, "a"));
  try {
    return await act(...fds);
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** What a program can do to the files that its standard streams lead to. */
export const streamFiles: Topic = {
  title: "files as streams",
  isBare: true,
  cases: [
    ...inBoth(
      "the mode of a file that is a stream cannot be changed",
      async (sh, { scratch }) => {
        const [input = "", output = "", error = ""] = files(scratch);
        await appending([output, error], (out = -1, err = -1) =>
          sh(CHANGE, PROC, { stdin: { file: input }, stdout: { fd: out }, stderr: { fd: err } }),
        );
        for (const path of [input, output, error])
          assert.equal((statSync(path).mode & 0o7777).toString(8), MODE.toString(8));
      },
      { needs: ["mount.proc"], tools: ["chmod"] },
    ),
    ...inBoth(
      "what a file had before is still there when it was opened for appending",
      async (sh, { scratch }) => {
        const [, output = ""] = files(scratch);
        const script = ": > /proc/self/fd/1; echo one; echo two >&2; echo three > /proc/self/fd/1";
        succeeded(
          await appending([output], (fd = -1) =>
            sh(script, PROC, { stdout: { fd }, stderr: { fd } }),
          ),
        );
        assert.equal(readFileSync(output, "utf8"), "line\none\ntwo\nthree\n");
      },
      { needs: ["mount.proc"] },
    ),
    ...inBoth(
      "a file that is a stream can be opened by the name of the stream",
      async (sh, { scratch }) => {
        const [input = "", output = ""] = files(scratch);
        const options = { stdin: { file: input }, stdout: { file: output } };
        succeeded(await sh("cat /proc/self/fd/0 > /proc/self/fd/1", PROC, options));
        assert.equal(readFileSync(output, "utf8"), "line\n");
      },
      { needs: ["mount.proc"] },
    ),
    ...inBoth(
      "all that is written is in the file when the result is there",
      async (sh, context) => {
        const [, output = ""] = files(context.scratch);
        const script = "i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); printf '%0500d\\n' $i; done";
        succeeded(await sh(script, {}, { stdout: { file: output } }));
        assert.equal(statSync(output).size, 2000 * 501);
      },
    ),
    ...inBoth("an output that cannot be written ends the run with STREAM_FAILED", async (sh) => {
      const fd = openSync("/dev/full", "w");
      try {
        const script = "while :; do echo word; done";
        const { path } = await refused(sh(script, {}, { stdout: { fd } }), "STREAM_FAILED");
        assert.equal(path, "stdout");
      } finally {
        closeSync(fd);
      }
    }),
    ...inBoth("an output that is a symlink is refused", async (sh, { scratch }) => {
      const [, output = ""] = files(scratch);
      const file = join(scratch, "link");
      symlinkSync(output, file);
      const { path } = await refused(sh("echo", {}, { stdout: { file } }), "PATH_INVALID");
      assert.equal(path, "stdout");
      assert.equal(readFileSync(output, "utf8"), "line\n");
    }),
    ...inBoth(
      "no stream is opened over a symlink that a program could have made",
      async (sh, { scratch }) => {
        const [input = "", output = ""] = files(scratch);
        const source = join(scratch, "shared");
        mkdirSync(join(source, "own"), { recursive: true });
        symlinkSync(scratch, join(source, "planted"));
        symlinkSync(input, join(source, "in"));
        const mounts = [{ type: "bind", source, target: "/mnt/other" }] as const;
        const planted = { file: join(source, "planted/out") };
        await refused(sh("echo", { mounts }, { stdout: planted }), "PATH_INVALID");
        await refused(
          sh("cat", { mounts }, { stdin: { file: join(source, "in") } }),
          "PATH_INVALID",
        );
        assert.equal(readFileSync(output, "utf8"), "line\n");
        const file = join(source, "own/out");
        succeeded(await sh("echo word", { mounts }, { stdout: { file } }));
        assert.equal(readFileSync(file, "utf8"), "word\n");
      },
      { needs: ["root", "mount.bind"] },
    ),
  ],
};
