import { pidsWith } from "@sandboxlib/test-support";
import { expect, test } from "vitest";
import { attempt } from "../../src/doctor/attempt.js";

const sh = (script: string) => ["/bin/sh", "-c", script] as const;

test("what ends with 0 has worked", async () => {
  expect(await attempt(["/bin/true"])).toEqual({ state: "worked" });
});

test.each([
  [sh("echo no >&2; exit 3"), "no"],
  [sh("exit 3"), "it ended with 3"],
  [sh("kill -SYS $$"), "it ended with SIGSYS"],
  [["/no/such/program"] as const, "spawn /no/such/program ENOENT"],
])(
  "what ends otherwise, or does not start, is refused with what it said: %j",
  async (argv, said) => {
    expect(await attempt(argv)).toEqual({ state: "refused", said });
  },
);

test("it sees no variable of the caller, so that errors have their own names", async () => {
  process.env["LC_ALL"] = "de_DE.UTF-8";
  try {
    expect(await attempt(sh('echo "[$LC_ALL]" >&2; exit 1'))).toMatchObject({ said: "[]" });
  } finally {
    delete process.env["LC_ALL"];
  }
});

test("what hangs is killed when its time is over, with what it started, and is said to have hung", async () => {
  // Nobody else sleeps for so long.
  const nap = `60.${process.pid}`;
  const trying = attempt(sh(`sleep ${nap} & sleep ${nap}; true`), 1);
  await expect.poll(() => pidsWith(nap).length).toBe(3);
  expect(await trying).toEqual({ state: "hung", seconds: 1 });
  await expect.poll(() => pidsWith(nap)).toEqual([]);
});

test("what has left its session and holds its streams keeps nobody waiting", async () => {
  const started = performance.now();
  expect(await attempt(sh("setsid sleep 8 & exit 0"), 0.3)).toMatchObject({ state: "hung" });
  expect(performance.now() - started).toBeLessThan(5000);
});
