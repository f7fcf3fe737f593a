import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { runSandbox } from "./support/cli.js";
import { scratch } from "./support/scratch.js";

const BWRAP = ["--backend", "bubblewrap"];

function json(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

await describeWith("bubblewrap", "the streams of the program", () => {
  test("pass through untouched", async () => {
    const { stdout, stderr } = await runSandbox([...BWRAP, "/", "sh", "-c", "cat; echo err >&2"], {
      input: "in\n",
    });
    expect({ stdout, stderr }).toEqual({ stdout: "in\n", stderr: "err\n" });
  });

  test("pass through more than a pipe holds", async () => {
    const { stdout } = await runSandbox([...BWRAP, "--", "head", "-c", "3000000", "/dev/zero"]);
    expect(stdout).toHaveLength(3_000_000);
  });
});

await describeWith("bubblewrap", "a limit that ends the program", () => {
  const args = [...BWRAP, "--cwd", "/", "--timeout", "0.2", "--", "sleep", "60"];

  test("is named in one line on standard error", async () => {
    const { stderr } = await runSandbox(args);
    expect(stderr).toBe("sandboxlib: the wall time limit was reached\n");
  });

  test("is not with --quiet", async () => {
    expect((await runSandbox(["--quiet", ...args])).stderr).toBe("");
  });
});

await describeWith("bubblewrap", "options reach the sandbox", () => {
  test("what is not mentioned is isolated", async () => {
    const directory = scratch();
    const script = "touch made; cat /proc/net/dev | wc -l; hostname; env | sort";
    const { stdout, stderr } = await runSandbox(
      [...BWRAP, "--bind", `${directory}::ro`, "--", "sh", "-c", script],
      {
        cwd: directory,
        env: { SECRET: "1" },
      },
    );
    expect(stderr).toContain("made");
    expect(stdout.split("\n").slice(0, 2)).toEqual(["3", "sandbox"]);
    expect(stdout).not.toContain("SECRET");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a config file and options make one config", async () => {
    const directory = scratch();
    const config = { env: { A: "1" }, command: ["false"], cwd: "/" };
    writeFileSync(join(directory, "c.json"), JSON.stringify(config));
    const args = ["--config", "c.json", "--env", "B=2", "--", "/usr/bin/env"];
    const { stdout } = await runSandbox([...BWRAP, ...args], { cwd: directory });
    expect(stdout.trim().split("\n").sort()).toEqual(["A=1", "B=2", "PWD=/"]);
  });

  test("the command of the config is run when there is none on the command line", async () => {
    const directory = scratch();
    writeFileSync(
      join(directory, "c.json"),
      JSON.stringify({ command: ["echo", "from the config"], cwd: "/" }),
    );
    const { stdout } = await runSandbox([...BWRAP, "--config", "c.json"], { cwd: directory });
    expect(stdout).toBe("from the config\n");
  });
});

await describeWith("bubblewrap", "--dry-run", () => {
  test("prints the plan and starts nothing", async () => {
    const directory = scratch();
    const { stdout, exitCode } = await runSandbox([
      ...BWRAP,
      "--dry-run",
      "--bind",
      directory,
      "--",
      "touch",
      `${directory}/x`,
    ]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      backend: "bubblewrap",
      command: ["touch", `${directory}/x`],
      plan: { argv: expect.arrayContaining([expect.stringMatching(/bwrap$/)]), env: {} },
      dropped: [],
    });
    expect(readdirSync(directory)).toEqual([]);
  });
});

await describeWith("bubblewrap", "--verbose", () => {
  test("says on standard error what is enforced and by what", async () => {
    const { stdout, stderr } = await runSandbox([...BWRAP, "--verbose", "--", "echo", "out"]);
    expect(stdout).toBe("out\n");
    expect(stderr).toMatch(
      /^sandboxlib: enforced by bubblewrap: network\.none \(network\): bwrap --unshare-net/m,
    );
  });
});

await describeWith("bubblewrap", "--result-file", () => {
  const file = (directory: string) => join(directory, "result.json");

  test("holds the whole result and leaves nothing beside it", async () => {
    const directory = scratch();
    writeFileSync(file(directory), "stale");
    await runSandbox([...BWRAP, "--result-file", file(directory), "--", "sh", "-c", "exit 3"]);
    expect(json(file(directory))).toMatchObject({
      outcome: "exited",
      exitCode: 3,
      backend: "bubblewrap",
      enforcement: { dropped: [] },
    });
    expect(readdirSync(directory)).toEqual(["result.json"]);
  });

  test("is gone while the program runs, so that an old one cannot be taken for it", async () => {
    const directory = scratch();
    writeFileSync(file(directory), "stale");
    const args = ["--bind", directory, "--result-file", "result.json", "--", "ls", "-A", directory];
    expect((await runSandbox([...BWRAP, ...args], { cwd: directory })).stdout).toBe("");
  });

  test.each([
    { args: ["/no/such/root", "true"], error: { code: "PATH_INVALID", path: "root" } },
    { args: ["--", "no-such-command"], error: { code: "COMMAND_NOT_FOUND", path: "command" } },
    {
      args: ["--writable", "../x", "--", "true"],
      error: { code: "CONFIG_INVALID", path: "writable[0]" },
    },
    { args: ["--frobnicate", "--", "true"], error: { code: "USAGE" } },
    { args: ["--"], error: { code: "USAGE" } },
  ])("holds the error of $args", async ({ args, error }) => {
    const directory = scratch();
    await runSandbox(["--result-file", file(directory), ...BWRAP, ...args]);
    expect(json(file(directory))).toMatchObject({ error });
  });

  test("does not follow a symlink that the program put in its place", async () => {
    const directory = scratch();
    writeFileSync(join(directory, "victim"), "precious");
    const args = [
      "--bind",
      directory,
      "--result-file",
      "result.json",
      "--",
      "ln",
      "-s",
      "victim",
      "result.json",
    ];
    await runSandbox([...BWRAP, ...args], { cwd: directory });
    expect(readFileSync(join(directory, "victim"), "utf8")).toBe("precious");
    expect(json(file(directory))).toMatchObject({ outcome: "exited", exitCode: 0 });
  });

  test("does not follow a symlink that the program put in place of its directory", async () => {
    const directory = scratch();
    mkdirSync(join(directory, "work/out"), { recursive: true });
    mkdirSync(join(directory, "victim"));
    const work = join(directory, "work");
    const script = "mv out gone && ln -s ../victim out";
    const args = [
      "--bind",
      work,
      "--cwd",
      work,
      "--result-file",
      "work/out/result.json",
      "--",
      "sh",
      "-c",
      script,
    ];
    expect((await runSandbox([...BWRAP, ...args], { cwd: directory })).exitCode).toBe(0);
    expect(readdirSync(join(directory, "victim"))).toEqual([]);
    expect(readdirSync(join(work, "gone"))).toEqual(["result.json"]);
  });

  test("refuses a symlink", async () => {
    const directory = scratch();
    symlinkSync("elsewhere", file(directory));
    const { exitCode } = await runSandbox([
      ...BWRAP,
      "--result-file",
      file(directory),
      "--",
      "true",
    ]);
    expect(exitCode).toBe(2);
    expect(existsSync(join(directory, "elsewhere"))).toBe(false);
  });

  test("that cannot be written in the end is an error, whatever the program did", async () => {
    const directory = scratch();
    const args = ["--bind", directory, "--result-file", "r.json", "--", "mkdir", "r.json"];
    const { exitCode, stderr } = await runSandbox([...BWRAP, ...args], { cwd: directory });
    expect(exitCode).toBe(125);
    expect(stderr).toContain('--result-file: "r.json" cannot be written');
    expect(readdirSync(directory)).toEqual(["r.json"]);
  });
});
