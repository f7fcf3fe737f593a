import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import type { Backend, EnginePlan, Running } from "@sandboxlib/core/backend";
import { afterAll, describe, expect, it } from "vitest";
import { applies, obstacle } from "../../src/case.js";
import { openKit } from "../../src/kit.js";
import { findRecipe } from "../../src/root/recipe.js";
import { casesOf, causeOf } from "../liars/caught.js";
import { engineAt } from "./example.js";
import { servers } from "./servers.js";

const engines = servers();
const { path } = await engines.start("liars");
const directory = mkdtempSync(join(tmpdir(), "sandboxlib-liars-"));

afterAll(() => {
  engines.stop();
  rmSync(directory, { recursive: true });
});

interface EngineLiar {
  readonly does: string;
  readonly backend: Backend;
  readonly caughtBy: readonly string[];
}

const LIARS: readonly EngineLiar[] = [
  { does: "starts everything in /", backend: asks({ cwd: "/" }), caughtBy: ["cwd"] },
  {
    does: "takes every end for a good one",
    backend: runs(() => ({
      ended: Promise.resolve({ verdict: () => ({ kind: "exited", exitCode: 0 }) }),
    })),
    caughtBy: ["exit: an exit status"],
  },
  {
    does: "gives an exit code that there is not",
    backend: ends(() => ({ kind: "exited", exitCode: 256 })),
    caughtBy: ["exit: an exit status"],
  },
  {
    does: "fails in words of its own",
    backend: runs(({ ended }) => ({ ended: ended.then(() => Promise.reject(new Error("no"))) })),
    caughtBy: ["exit: an exit status"],
  },
  {
    does: "gives no streams",
    backend: runs(() => ({ streams: { stdin: null, stdout: null, stderr: null } })),
    caughtBy: ["exit: an exit status"],
  },
  {
    does: "keeps what a program writes",
    backend: runs(({ streams }) => ({
      streams: { ...streams, stdout: drained(streams.stdout) },
    })),
    caughtBy: ["streams: a mebibyte"],
  },
  {
    does: "sends no signals",
    backend: runs(() => ({ signal: () => true })),
    caughtBy: ["ending a run: what a terminal sends"],
  },
  {
    does: "kills nothing",
    backend: runs(() => ({ kill: () => true })),
    caughtBy: ["stop: what does not end"],
  },
];

describe("engines that lie", () => {
  const kit = openKit(engineAt(path), { available: true }, findRecipe());
  it.concurrent.each(LIARS)("one that $does is caught", { timeout: 240_000 }, async (liar) => {
    const lying = openKit(liar.backend, { available: true }, findRecipe());
    const due = casesOf(liar).filter(
      ([, test]) => applies(test, kit.has) && obstacle(test, kit) === undefined,
    );
    const caught = [];
    for (const [index, [title, test]] of due.entries()) {
      const place = join(directory, `${liar.does.replaceAll(" ", "-")}-${index}`);
      if ((await causeOf(lying, test, place)) !== undefined) caught.push(title);
    }
    expect(caught).not.toEqual([]);
  });
});

function plans(edit: (plan: EnginePlan) => Partial<EnginePlan>): Backend {
  const honest = engineAt(path);
  return {
    ...honest,
    plan(config, host) {
      const plan = honest.plan(config, host) as EnginePlan;
      return { ...plan, ...edit(plan) };
    },
  };
}

/** Sends something else than what was asked for. */
function asks(other: object): Backend {
  return plans(({ request }) => ({ request: { ...(request as object), ...other } }));
}

/** Answers with something else than what runs. */
function runs(edit: (running: Running) => Partial<Running>): Backend {
  return plans((plan) => ({
    start(...asked) {
      const running = plan.start(...asked);
      running.ended.catch(() => undefined);
      return { ...running, ...edit(running) };
    },
  }));
}

function ends(verdict: Awaited<Running["ended"]>["verdict"]): Backend {
  return runs(({ ended }) => ({ ended: ended.then(() => ({ verdict })) }));
}

/** Empty in place of what comes, which is read so that the program can end. */
function drained(stream: Readable | null): Readable | null {
  stream?.resume();
  return stream && new PassThrough().end();
}
