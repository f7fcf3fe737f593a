import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Ending, SandboxError, type Usage } from "@sandboxlib/core";
import { expect, test } from "vitest";
import { metaText } from "../src/meta-file.js";
import { describeWith } from "./support/backend.js";
import { runSandbox } from "./support/cli.js";
import { scratch } from "./support/scratch.js";

const REST = { backend: "x", enforcement: { enforced: [], dropped: [] } };
const USAGE = { wallTime: 1.23456, userTime: 0.5, systemTime: 0.25, peakMemory: 2049 };

function lines(ending: Ending, usage: Usage = { wallTime: 1 }): string[] {
  return metaText({ ...REST, ...ending, usage })
    .trimEnd()
    .split("\n");
}

test("what a run took is written in seconds and KiB", () => {
  const switches = { voluntarySwitches: 3, involuntarySwitches: 4 };
  expect(lines({ outcome: "exited", exitCode: 0 }, { ...USAGE, ...switches })).toEqual([
    "exitcode:0",
    "time:0.750",
    "time-wall:1.235",
    "max-rss:3",
    "csw-voluntary:3",
    "csw-forced:4",
  ]);
});

test("the memory of a cgroup is that of the whole sandbox", () => {
  expect(lines({ outcome: "exited", exitCode: 0 }, { ...USAGE, oomKills: 0 })).toContain(
    "cg-mem:3",
  );
});

test.each<[Ending, string[]]>([
  [{ outcome: "exited", exitCode: 3 }, ["status:RE", "message:exited with status 3", "exitcode:3"]],
  [
    { outcome: "signaled", signal: "SIGSEGV" },
    ["status:SG", "message:died of SIGSEGV", "exitsig:11"],
  ],
  [{ outcome: "timed-out" }, ["status:TO", "message:the wall time limit was reached", "killed:1"]],
  [
    { outcome: "timed-out", afterStop: { exitCode: 0 } },
    ["status:TO", "message:the wall time limit was reached", "killed:1"],
  ],
  [
    { outcome: "limit-exceeded", exceeded: { limit: "cpuTime", seconds: 1 } },
    ["status:TO", "message:the limit cpuTime was reached", "killed:1"],
  ],
  [
    { outcome: "limit-exceeded", exceeded: { limit: "fileSize", bytes: 1 } },
    ["status:SG", "message:the limit fileSize was reached", "exitsig:25"],
  ],
  [{ outcome: "aborted" }, ["status:XX", "message:the caller aborted the run", "killed:1"]],
])("%j has the words of isolate(1)", (ending, expected) => {
  expect(lines(ending)).toEqual([...expected, "time-wall:1.000"]);
});

test("want of memory is a signal, with a key of its own", () => {
  const ending: Ending = { outcome: "limit-exceeded", exceeded: { limit: "memory", bytes: 9 } };
  expect(lines(ending, { wallTime: 1, oomKills: 1 })).toEqual([
    "status:SG",
    "message:the limit memory was reached",
    "exitsig:9",
    "time-wall:1.000",
    "cg-oom-killed:1",
  ]);
});

test("an error is the sandbox's own, on one line", () => {
  const error = new SandboxError("LAUNCH_FAILED", "two\nlines");
  expect(metaText(error)).toBe("status:XX\nmessage:two\\x0alines\n");
});

for (const backend of ["namespaces", "bubblewrap", "chroot"]) {
  await describeWith(backend, "--meta", () => {
    const options = ["--backend", backend, "--degrade", "--quiet", "--cwd", "/"];
    const metaOf = async (
      ...args: string[]
    ): Promise<{ exitCode: number | null; meta: string }> => {
      const cwd = scratch();
      const { exitCode } = await runSandbox([...options, "--meta", "m", ...args], { cwd });
      expect(readdirSync(cwd)).toEqual(["m"]);
      return { exitCode, meta: readFileSync(join(cwd, "m"), "utf8") };
    };

    test.each([
      [["--", "sh", "-c", "exit 3"], 3, /^status:RE\nmessage:exited with status 3\nexitcode:3\n/],
      [["--timeout", "200ms", "--", "sleep", "60"], 124, /^status:TO\n.*\nkilled:1\n/],
      [["--", "no-such-command"], 127, /^status:XX\nmessage:.*no-such-command.*\n$/],
      [["--frobnicate", "--", "true"], 2, /^status:XX\nmessage:--frobnicate: unknown option\.\n$/],
    ])("of %j", async (args, code, pattern) => {
      const { exitCode, meta } = await metaOf(...args);
      expect(exitCode).toBe(code);
      expect(meta).toMatch(pattern);
    });

    // The other two tell what a run took only where it has a cgroup.
    test.runIf(backend === "namespaces")(
      "has the time and the memory of a program that succeeds, and no status",
      async () => {
        const { meta } = await metaOf("--", "true");
        expect(meta).toMatch(/^exitcode:0\ntime:\d+\.\d{3}\ntime-wall:\d+\.\d{3}\nmax-rss:\d+\n/);
      },
    );
  });
}
