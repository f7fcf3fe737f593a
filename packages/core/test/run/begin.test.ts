import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { begin, beginAsync } from "../../src/run/begin.js";
import { orAbort } from "../../src/start/launcher/run.js";
import type { Prepared } from "../../src/start/prepared.js";
import type { Started } from "../../src/start/started.js";
import { TERMS } from "../support/running.js";
import { temporary } from "../support/temporary.js";

/** Nothing of it is asked for. */
const prepared = {} as Prepared;
const never = (): never => {
  throw new Error("it was started");
};

describe("a command whose signal was aborted before", () => {
  it("is not started, and none of its files is made", async () => {
    const file = join(temporary(), "out");
    const options = { signal: AbortSignal.abort(), stdout: { file } };
    const { result } = begin(prepared, TERMS, options, never);
    expect(await result).toMatchObject({ outcome: "aborted", enforcement: { enforced: [] } });
    const soon = await beginAsync(prepared, TERMS, options, never);
    expect(await soon.result).toMatchObject({ outcome: "aborted" });
    expect(existsSync(file)).toBe(false);
  });

  it("has streams that give nothing and take everything", async () => {
    const options = { signal: AbortSignal.abort(), stdin: "pipe", stdout: "pipe" } as const;
    const child = begin(prepared, TERMS, options, never);
    child.stdin?.end("word");
    expect(await child.stdout?.toArray()).toEqual([]);
    const { outcome, stderr } = await child.result;
    expect([outcome, stderr]).toEqual(["aborted", new Uint8Array()]);
    expect(child.kill()).toBe(false);
  });
});

it("a start is ended by a signal that is aborted meanwhile, and not by one that is later", async () => {
  const controller = new AbortController();
  let kills = 0;
  let settle: (running: Started) => void = () => undefined;
  const starting = new Promise<Started>((resolve) => {
    settle = resolve;
  });
  const started = orAbort(controller.signal, () => void (kills += 1), starting);
  const later = orAbort(undefined, never, starting);
  controller.abort();
  expect(kills).toBe(1);
  settle({} as Started);
  await Promise.all([started, later]);
  expect(kills).toBe(1);
});
