import type { SandboxResult } from "@sandboxlib/core";
import { describe, expect, it } from "vitest";
import { type RunnableApp, runApps } from "../../src/pod/run-apps.js";

/** An app that records under its name which commands are run. */
function app(name: string, log: string[], ends: Record<string, number | Error> = {}): RunnableApp {
  return {
    preStart: [["before"]],
    postStop: [["after"], ["after-that"]],
    async run(argv, signal) {
      const word = argv?.[0] ?? "app";
      log.push(`${name} ${word}`);
      const end = ends[word] ?? 0;
      if (end instanceof Error) throw end;
      if (end === -1) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { outcome: "exited", exitCode: end } as SandboxResult;
    },
  };
}

describe("the life of apps", () => {
  it("is first all that comes before, then all apps at once, then all that comes after", async () => {
    const log: string[] = [];
    const results = await runApps([app("a", log, { app: 7 }), app("b", log)]);
    expect(log).toEqual([
      "a before",
      "b before",
      "a app",
      "b app",
      "a after",
      "a after-that",
      "b after",
      "b after-that",
    ]);
    expect(results.map(({ result }) => result?.exitCode)).toEqual([7, 0]);
  });

  it("ends before it began when a preparation fails", async () => {
    const log: string[] = [];
    const results = await runApps([app("a", log), app("b", log, { before: 3 })]);
    expect(log).not.toContain("a app");
    expect(log).toContain("a after");
    expect(results[1]?.failed?.exitCode).toBe(3);
    expect(results.map(({ result }) => result)).toEqual([undefined, undefined]);
  });

  it("ends for all when one cannot be started, and what comes after is run all the same", async () => {
    const log: string[] = [];
    const apps = [app("a", log, { app: -1 }), app("b", log, { app: new Error("no") })];
    await expect(runApps(apps)).rejects.toThrow("no");
    expect(log).toContain("a after-that");
    expect(log).toContain("b after-that");
  });

  it("tells the error of what comes after only when there is no earlier one", async () => {
    const log: string[] = [];
    const after = { after: new Error("later") };
    await expect(runApps([app("a", log, after)])).rejects.toThrow("later");
    await expect(runApps([app("a", log, { ...after, app: new Error("first") })])).rejects.toThrow(
      "first",
    );
  });
});
