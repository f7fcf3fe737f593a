import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { newMarker, pidsWith, spoken } from "@sandboxlib/test-support";
import { expect, onTestFinished, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, type Ran, ran, sandboxlib, startNode } from "./support/cli.js";

const DIRECTORY = `/tmp/sandboxlib-${process.getuid?.()}`;

/** Starts a session that ends with the test. */
async function started(...options: string[]): Promise<string> {
  const { stdout, stderr } = await sandboxlib(["session", "start", "--cwd", "/", ...options]);
  const name = stdout.trim();
  onTestFinished(async () => void (await sandboxlib(["session", "stop", name])));
  expect([stderr, name]).toEqual(["", expect.stringMatching(/^[0-9a-f]{12}$/)]);
  return name;
}

async function inSession(name: string, argv: readonly string[], input?: string): Promise<Ran> {
  const options = input === undefined ? {} : { input };
  return sandboxlib(["session", "exec", name, "--", ...argv], options);
}

await describeWith("namespaces", "a session from the shell", () => {
  test("keeps what its commands leave, until it is stopped", async () => {
    const name = await started();
    await inSession(name, ["sh", "-c", "echo here > /tmp/file"]);
    expect(await inSession(name, ["cat", "/tmp/file"])).toMatchObject({ stdout: "here\n" });
    expect(statSync(`${DIRECTORY}/${name}`).mode & 0o777).toBe(0o700);
    expect(statSync(DIRECTORY).mode & 0o777).toBe(0o700);
    expect(await sandboxlib(["session", "stop", name])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(existsSync(`${DIRECTORY}/${name}`)).toBe(false);
    expect(await inSession(name, ["true"])).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining(`"${name}": there is no such session of this user\n`),
    });
  });

  test("hands on streams, exit codes, variables and the directory", async () => {
    const name = await started("--env", "A=1");
    const ran = await inSession(name, ["sh", "-c", "cat; echo two >&2; exit 3"], "one\n");
    expect(ran).toEqual({ exitCode: 3, signal: null, stdout: "one\n", stderr: "two\n" });
    const options = ["--env", "B=2", "--cwd", "/usr"];
    const args = ["session", "exec", ...options, name, "--", "sh", "-c", "echo $A $B $PWD"];
    expect(await sandboxlib(args)).toMatchObject({ stdout: "1 2 /usr\n", exitCode: 0 });
    const late = ["session", "exec", "--timeout", "200ms", name, "--", "sleep", "60"];
    expect(await sandboxlib(late)).toMatchObject({ exitCode: 124 });
    expect(await inSession(name, ["no-such-command"])).toMatchObject({ exitCode: 127, stdout: "" });
    expect(await inSession(name, ["sh", "-c", "kill -9 $$"])).toMatchObject({ exitCode: 137 });
  });

  test("hands on much in both directions, byte for byte", async () => {
    const name = await started();
    const much = "0123456789abcdef".repeat(400_000);
    const { stdout } = await inSession(name, ["cat"], much);
    expect(stdout === much).toBe(true);
  });

  test("ends a command with the process that has asked for it, and hands on signals", async () => {
    const name = await started();
    const script = "echo $$; exec sleep 60";
    const client = () =>
      startNode([BIN.sandboxlib, "session", "exec", name, "--", "sh", "-c", script]);
    const first = client();
    await spoken(first);
    first.kill("SIGKILL");
    const sleeping = async (): Promise<string> =>
      (await inSession(name, ["sh", "-c", "cat /proc/[0-9]*/comm | grep -c sleep"])).stdout.trim();
    await expect.poll(sleeping, { timeout: 10_000 }).toBe("0");
    const second = client();
    await spoken(second);
    second.kill("SIGINT");
    expect(await once(second, "exit")).toEqual([null, "SIGINT"]);
  });

  test("ends a command whose output nobody reads any more", async () => {
    const name = await started();
    const script = 'set -o pipefail; "$0" "$1" session exec "$2" -- yes | head -n 1';
    const argv = ["-c", script, process.execPath, BIN.sandboxlib, name];
    const piped = await ran(spawn("/bin/bash", argv, { cwd: "/", stdio: "pipe" }));
    expect(piped).toMatchObject({ stdout: "y\n", stderr: "", exitCode: 141 });
  });

  test("keeps no pipe of a command whose reader has gone", async () => {
    const marker = newMarker("pipes");
    const name = await started("--env", `MARK=${marker}`);
    const [daemon = 0] = pidsWith(marker);
    const fds = (): number => readdirSync(`/proc/${daemon}/fd`).length;
    const before = fds();
    const script = '"$0" "$1" session exec "$2" -- yes | head -n 1';
    for (let round = 0; round < 4; round += 1)
      await ran(spawn("/bin/bash", ["-c", script, process.execPath, BIN.sandboxlib, name]));
    await expect.poll(fds).toBeLessThanOrEqual(before);
  });

  test("ends with its daemon, and gc removes what is left of it", async () => {
    const marker = newMarker("daemon");
    const name = await started("--env", `MARK=${marker}`);
    const inside = newMarker("inside");
    const script = `echo on; sleep 60; : ${inside}`;
    const client = startNode([BIN.sandboxlib, "session", "exec", name, "--", "sh", "-c", script]);
    const sleeping = ran(client);
    await spoken(client);
    const [daemon = 0, ...others] = pidsWith(marker);
    expect(others).toEqual([]);
    process.kill(daemon, "SIGKILL");
    expect(await sleeping).toMatchObject({
      exitCode: 125,
      stderr: "sandboxlib: the session has ended, and the command with it\n",
    });
    await expect.poll(() => pidsWith(inside), { timeout: 10_000 }).toEqual([]);
    const gone = `rm ${DIRECTORY}/${name}\n`;
    expect((await sandboxlib(["gc", "--dry-run"])).stdout).toContain(`would run: ${gone}`);
    expect(existsSync(`${DIRECTORY}/${name}`)).toBe(true);
    expect((await sandboxlib(["gc"])).stdout).toContain(gone);
    expect(existsSync(`${DIRECTORY}/${name}`)).toBe(false);
  });

  test("whose daemon was killed is unknown, and what is left of it is removed", async () => {
    const marker = newMarker("daemon");
    const name = await started("--env", `MARK=${marker}`);
    const [daemon = 0] = pidsWith(marker);
    process.kill(daemon, "SIGKILL");
    await expect.poll(() => pidsWith(marker), { timeout: 10_000 }).toEqual([]);
    expect((await inSession(name, ["true"])).exitCode).toBe(125);
    expect(existsSync(`${DIRECTORY}/${name}`)).toBe(false);
  });

  test("whose daemon is stopped is not waited for without end", async () => {
    const marker = newMarker("daemon");
    const name = await started("--env", `MARK=${marker}`);
    const [daemon = 0] = pidsWith(marker);
    process.kill(daemon, "SIGSTOP");
    const calls = [inSession(name, ["true"]), sandboxlib(["session", "stop", name])];
    const message = `"${name}": the process that holds the session does not answer within ten seconds`;
    for (const { exitCode, stderr } of await Promise.all(calls))
      expect([exitCode, stderr]).toEqual([125, expect.stringContaining(message)]);
    expect((await sandboxlib(["gc"])).stdout).not.toContain(name);
    process.kill(daemon, "SIGCONT");
    expect(await inSession(name, ["echo", "on"])).toMatchObject({ stdout: "on\n", exitCode: 0 });
  });

  test.each([
    [["session"], 2, "session: start, exec, stop: which one?"],
    [["session", "exe"], 2, 'session "exe": unknown command. Did you mean exec?'],
    [["session", "exec"], 2, "NAME: is missing"],
    [["session", "exec", "x"], 2, "COMMAND: there is none to run"],
    [["session", "exec", "x", "--", "true"], 125, '"x": there is no such session of this user'],
    [["session", "exec", "x", "--env", "A=1"], 2, '"--env": comes after NAME, which is "x" here'],
    [["session", "stop"], 2, "NAME: is missing"],
    [["session", "start", "--cwd", "here"], 2, 'cwd: "here" must be an absolute path (--cwd here)'],
    [["session", "start", "--tty"], 2, "--tty: unknown option."],
    [["session", "start", "--", "ls"], 2, '"ls": a session starts without a command'],
  ])("%j is refused", async (args, code, message) => {
    const { exitCode, stderr, stdout } = await sandboxlib(args);
    expect([exitCode, stdout, stderr.split("\n")[0]]).toEqual([code, "", `sandboxlib: ${message}`]);
  });

  test("a backend without sessions is refused, and no process is left", async () => {
    const { exitCode, stderr } = await sandboxlib([
      "session",
      "start",
      "--cwd",
      "/",
      "--backend",
      "bubblewrap",
    ]);
    expect([exitCode, stderr]).toEqual([125, expect.stringMatching(/session/)]);
  });
});
