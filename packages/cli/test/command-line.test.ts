import { describe, expect, test } from "vitest";
import { readCommandLine } from "../src/command-line.js";

function read(...args: string[]) {
  const { options, root, program, problem } = readCommandLine("run", args);
  return { options: Object.fromEntries(options), root, program, problem: problem?.message };
}

describe("what is whose", () => {
  test.each([
    { args: ["--", "ls", "-l"], root: undefined, program: ["ls", "-l"] },
    { args: ["/root", "--", "ls"], root: "/root", program: ["ls"] },
    { args: ["/root", "ls", "--color"], root: "/root", program: ["ls", "--color"] },
    { args: ["/root", "ls", "--", "x"], root: "/root", program: ["ls", "--", "x"] },
    { args: ["/root", "--", "ls", "--", "x"], root: "/root", program: ["ls", "--", "x"] },
    { args: ["--", "--", "ls"], root: undefined, program: ["--", "ls"] },
    { args: ["/root", "--", "-odd"], root: "/root", program: ["-odd"] },
    { args: ["/root", "ls", "--help"], root: "/root", program: ["ls", "--help"] },
    { args: ["--", "--version"], root: undefined, program: ["--version"] },
    { args: ["/root", "ls", "-xyz=1", ""], root: "/root", program: ["ls", "-xyz=1", ""] },
    { args: ["/root"], root: "/root", program: [] },
    { args: ["--"], root: undefined, program: [] },
    { args: [], root: undefined, program: [] },
    { args: ["/root", "-"], root: "/root", program: ["-"] },
  ])("$args: ROOT is $root, and the program $program", ({ args, root, program }) => {
    expect(read(...args)).toEqual({ options: {}, root, program, problem: undefined });
  });

  test("an option after the command belongs to the program, and one before is ours", () => {
    expect(read("--network", "host", "/root", "ls", "--network", "none")).toMatchObject({
      options: { network: ["host"] },
      program: ["ls", "--network", "none"],
    });
  });

  test("a value that looks like a root does not end the options", () => {
    expect(read("--cwd", "/srv", "--json=x", "--", "ls")).toMatchObject({
      options: { cwd: ["/srv"] },
      program: ["ls"],
    });
  });

  test("a repeated option keeps every value in order", () => {
    const { options } = read("--bind", "/a", "--bind=/b", "--degrade", "--degrade", "--", "x");
    expect(options).toEqual({ bind: ["/a", "/b"], degrade: [] });
  });
});

describe("a command line that is wrong is refused with what is wrong", () => {
  test.each([
    { args: ["--netwrok", "host"], problem: "--netwrok: unknown option. Did you mean --network?" },
    { args: ["--frobnicate"], problem: "--frobnicate: unknown option." },
    { args: ["-l"], problem: "-l: unknown option." },
    { args: ["--json"], problem: "--json: unknown option." },
    { args: ["--cwd"], problem: "--cwd: DIR is missing" },
    { args: ["--cwd="], problem: "--cwd: DIR is empty" },
    { args: ["--cwd", "--", "ls"], problem: '--cwd: DIR is missing, or is it "--"?' },
    {
      args: ["--root", "--network", "host"],
      problem: '--root: DIR is missing, or is it "--network"?',
    },
    { args: ["--quiet=yes"], problem: '--quiet: takes no value, and was given "yes"' },
    { args: ["ls", "-l"], problem: '"-l": comes after ROOT, which is "ls" here' },
    {
      args: ["/root", "--network", "host", "--", "ls"],
      problem: '"--network": comes after ROOT, which is "/root" here',
    },
    { args: ["--root", "/a", "/b", "ls"], problem: '"/b": is a second ROOT beside --root' },
    { args: ["", "ls"], problem: "ROOT: is empty" },
  ])("$args", ({ args, problem }) => {
    expect(read(...args).problem).toBe(problem);
  });

  test("a value that starts with a dash can be given with `=`", () => {
    expect(read("--cwd=-x", "--", "ls")).toMatchObject({
      options: { cwd: ["-x"] },
      problem: undefined,
    });
  });

  test("a command that runs nothing takes no words", () => {
    expect(readCommandLine("doctor", ["now"]).problem?.message).toBe(
      '"now": `doctor` takes options only',
    );
  });

  test("what is right is read all the same, so that the result file is known", () => {
    expect(read("--result-file", "r.json", "--frobnicate").options).toEqual({
      "result-file": ["r.json"],
    });
  });
});
