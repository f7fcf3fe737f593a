import { describe, expect, it } from "vitest";
import { guest } from "../../../src/index.backend.js";

const UP = "up 1\nstarted\n";
const ended = (status: number): string =>
  `${UP}ended ${status} 1500000 250000 2048 300 1 8 16 5 6\n`;

describe("what the init inside reports", () => {
  it("is its pid at first, and what the program has used at the end", () => {
    expect(guest.readReport("")).toEqual({});
    expect(guest.readReport("up 17\n")).toEqual({ supervisor: 17 });
    expect(guest.readReport(ended(0))).toEqual({
      supervisor: 1,
      usage: {
        userTime: 1.5,
        systemTime: 0.25,
        peakMemory: 2048 * 1024,
        minorFaults: 300,
        majorFaults: 1,
        blockReads: 8 * 512,
        blockWrites: 16 * 512,
        voluntarySwitches: 5,
        involuntarySwitches: 6,
      },
    });
  });

  it.each([
    [7 << 8, { kind: "exited", exitCode: 7 }],
    [15, { kind: "signaled", signal: "SIGTERM" }],
    [0x80 | 11, { kind: "signaled", signal: "SIGSEGV", coreDumped: true }],
  ])("with the status %j is what wait(2) says", (status, verdict) => {
    expect(guest.verdict(ended(status))).toEqual(verdict);
  });

  it.each([
    ["exec 2", "COMMAND_NOT_FOUND"],
    ["exec 13", "COMMAND_NOT_EXECUTABLE"],
    ["exec 8", "COMMAND_NOT_EXECUTABLE"],
    ["exec 7", "LAUNCH_FAILED"],
    ["exec 12", "LAUNCH_FAILED"],
    ["cwd 20", "PATH_INVALID"],
    ["seccomp 22", "LAUNCH_FAILED"],
    ["seccomp 0", "LAUNCH_FAILED"],
  ])("when it fails with %j is %s", (failed, code) => {
    expect(guest.verdict(`up 1\nfailed ${failed}\n`)).toMatchObject({ kind: "failed", code });
  });

  it.each([
    "",
    UP,
    "ended 0\n",
    "ended x\n",
    "failed exec\n",
    `${UP}ended 0 1 2 3 4 5 6 7 8 9 10\n`,
  ])("is no end of the program in %j", (report) => expect(guest.verdict(report)).toBeUndefined());
});

it("the words and variables are those that it takes", () => {
  expect(guest.words({ report: 8, lifeline: "/run/life", cwd: "/a b" })).toEqual([
    "guest",
    "report=8",
    "lifeline=/run/life",
    "cwd=/a b",
    "--",
  ]);
  const more = { report: 3, command: 7, dev: ["/dev", "/d"], limits: { cpuTime: 1, openFiles: 9 } };
  expect(guest.words(more).slice(1)).toEqual(
    "report=3 command=7 dev=/dev dev=/d rlimit=0:1:2 rlimit=7:9:9 --".split(" "),
  );
  expect(guest.variables({ A: "1\n2", "b.c": "" })).toBe("A=1\n2\0b.c=\0");
});
