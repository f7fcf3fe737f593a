import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { type DeadlineTerms, deadline } from "../../src/run/deadline.js";
import type { Started } from "../../src/start/started.js";

/** A program that writes down what is done to it. */
function recorded(
  terms: Partial<DeadlineTerms>,
  signal?: AbortSignal,
  more: Partial<Started> = {},
) {
  const done: string[] = [];
  const running: Started = {
    startedAt: 0,
    streams: { stdin: null, stdout: null, stderr: null },
    ended: new Promise(() => undefined),
    signal: (name) => done.push(name) > 0,
    kill: () => done.push("kill") > 0,
    ...more,
  };
  const own = deadline(running, { wallTime: undefined, stop: undefined, ...terms }, signal);
  return { ...own, done };
}

const GENTLE = { stop: { signal: "SIGINT", grace: 0.05 } } as const;

describe("a run that is to end", () => {
  it("ends at once unless the config has it otherwise", () => {
    const { stop, over, done, hasKilled } = recorded({});
    stop("aborted");
    expect([done, over(0), hasKilled()]).toEqual([["kill"], "aborted", true]);
  });

  it("ends at once while there is no program that could end gently", async () => {
    const { stop, done } = recorded(GENTLE, undefined, { isStarting: () => true });
    stop("aborted");
    await expect.poll(() => done).toEqual(["kill"]);
  });

  it("ends gently when its program was there, and the tool had not been heard yet", async () => {
    const looks = [true, false];
    const isStarting = (): boolean => looks.shift() ?? false;
    const { stop, over, done } = recorded(GENTLE, undefined, { isStarting });
    stop("aborted");
    await expect.poll(() => done).toEqual(["SIGINT", "SIGCONT"]);
    over(0);
  });

  it("that is over before that is known is not ended any more", async () => {
    const { stop, over, done } = recorded(GENTLE, undefined, { isStarting: () => true });
    stop("aborted");
    over(0);
    await sleep(10);
    expect(done).toEqual([]);
  });

  it.each(["timed-out", "aborted"] as const)(
    "has its grace period when it is %s, and the first reason counts",
    async (reason) => {
      const { stop, over, done, hasKilled } = recorded(GENTLE);
      stop(reason);
      stop(reason === "aborted" ? "timed-out" : "aborted");
      expect([done, hasKilled()]).toEqual([["SIGINT", "SIGCONT"], false]);
      await expect.poll(() => done.at(-1)).toBe("kill");
      expect([hasKilled(), over(1)]).toEqual([true, reason]);
    },
  );

  it("is not killed any more when it ends within its grace period", async () => {
    const { stop, over, done, hasKilled } = recorded(GENTLE);
    stop("aborted");
    expect(over(0)).toBe("aborted");
    await sleep(100);
    expect([done, hasKilled()]).toEqual([["SIGINT", "SIGCONT"], false]);
  });

  it("has no grace period when it writes too much, not even in the middle of one", () => {
    const exceeded = { limit: "stdout", bytes: 1 } as const;
    const alone = recorded(GENTLE);
    alone.stop(exceeded);
    expect([alone.done, alone.over(0)]).toEqual([["kill"], exceeded]);
    const { stop, over, done } = recorded(GENTLE);
    stop("aborted");
    stop(exceeded);
    expect([done.at(-1), over(0)]).toEqual(["kill", "aborted"]);
  });

  it("has no grace period when it was aborted before it began", () => {
    const { over, done } = recorded(GENTLE, AbortSignal.abort());
    expect([done, over(0)]).toEqual([["kill"], "aborted"]);
  });

  it("has timed out when it took too long, whatever this process heard of first", () => {
    expect(recorded({ wallTime: 1 }).over(0.999)).toBe(undefined);
    expect(recorded({ wallTime: 1 }).over(1)).toBe("timed-out");
    const aborted = recorded({ wallTime: 1 });
    aborted.stop("aborted");
    expect(aborted.over(2)).toBe("aborted");
  });
});

test("Node warns of nothing when many runs have one signal, and each hears of the abort", async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  const controller = new AbortController();
  const runs = Array.from({ length: 30 }, () => recorded({}, controller.signal));
  for (const { over } of runs.slice(20)) over(0);
  controller.abort();
  await sleep(1);
  expect(warnings).toEqual([]);
  expect(runs.map(({ done }) => done.join())).toEqual([
    ...Array.from({ length: 20 }, () => "kill"),
    ...Array.from({ length: 10 }, () => ""),
  ]);
});
