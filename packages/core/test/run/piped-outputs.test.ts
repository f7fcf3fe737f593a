import { once } from "node:events";
import { expect, test } from "vitest";
import { childOf } from "../../src/run/child.js";
import { endedHost, PIPES, TERMS } from "../support/running.js";

test("the result waits until listeners have been given all that comes", async () => {
  const child = childOf(await endedHost("sleep 0.3; echo late; echo error >&2"), TERMS, PIPES);
  const got = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.on("data", (chunk: Buffer) => {
      got[name] += chunk.toString();
    });
  await child.result;
  expect(got).toEqual({ stdout: "late\n", stderr: "error\n" });
});

test("the result does not wait for a reader that takes the output when it likes to", async () => {
  const child = childOf(await endedHost("echo word; exec sleep 60"), TERMS, PIPES);
  const lines = child.lines("stdout");
  await child.result;
  expect((await lines.next()).value).toBe("word");
});

test("an output that nobody reads and somebody else keeps open is closed", async () => {
  const child = childOf(await endedHost("exec sleep 60"), TERMS, PIPES);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("there are no pipes");
  const closed = Promise.all([once(stdout, "close"), once(stderr, "close")]);
  await child.result;
  await closed;
});
