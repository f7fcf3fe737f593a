import assert from "node:assert/strict";
import type { SandboxChild } from "@sandboxlib/core";
import type { Topic } from "../case.js";
import { refused } from "../check.js";
import { inEveryWay } from "../ways.js";

async function all(lines: ReturnType<SandboxChild["lines"]>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

/** Outputs that are read line by line. */
export const lines: Topic = {
  title: "lines",
  isBare: true,
  cases: [
    ...inEveryWay("the lines of both outputs arrive as they were written", async (spawn) => {
      const child = await spawn(
        "printf 'one\\r\\n\\ntw\\377o\\nla'; sleep 0.2; printf st; printf 'err\\n' >&2; exit 7",
      );
      const [out, err] = await Promise.all([
        all(child.lines("stdout")),
        all(child.lines("stderr")),
      ]);
      assert.deepEqual([out, err], [["one", "", "tw\ufffdo", "last"], ["err"]]);
      assert.equal((await child.result).exitCode, 7);
    }),
    ...inEveryWay("lines may be read when the program has ended", async (spawn) => {
      const child = await spawn("echo one; echo two");
      const late = child.lines("stdout");
      child.stderr?.resume();
      await child.result;
      assert.deepEqual(await all(late), ["one", "two"]);
    }),
    ...inEveryWay(
      "a line that is too long is STREAM_FAILED, and ends the output",
      async (spawn) => {
        const child = await spawn("echo short; while :; do printf long; done 2>&-");
        const found: string[] = [];
        const read = async (): Promise<void> => {
          for await (const line of child.lines("stdout", { maxLength: 100_000 })) found.push(line);
        };
        assert.equal((await refused(read(), "STREAM_FAILED")).path, "stdout");
        assert.deepEqual(found, ["short"]);
        child.kill("SIGKILL");
        await child.result;
      },
    ),
  ],
};
