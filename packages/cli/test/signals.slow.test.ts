import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pidsWith } from "@sandboxlib/test-support";
import { expect, onTestFinished, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { BIN, type Ran, ran, startNode } from "./support/cli.js";
import { testUnless } from "./support/test-unless.js";
import { lackOf } from "./support/tool.js";

/** A program that prints when it is ready and which signal it gets, and that no such signal ends. */
const STUBBORN = `
for name in INT TERM HUP; do trap "echo got $name" $name; done
echo ready; i=0; while [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done`;

const SCRIPT = "/usr/bin/script";
/** A shell that on SIGINT waits until its child has ended, too. */
const BASH = "/bin/bash";

/** Milliseconds: longer than the time within which the same signal counts once. */
const LATER = 400;

/** Milliseconds: so much shorter that both signals come within this time even if the machine is busy. */
const AT_ONCE = 100;

/** The output of each command line so far. */
const heard = new WeakMap<ChildProcess, string>();

function start(backend: string, script: string, how?: { detached: boolean }): ChildProcess {
  const options = ["--backend", backend, "--degrade", "--quiet"];
  const child = startNode([BIN["run-sandbox"], ...options, "--", "sh", "-c", script], how);
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdout?.on("data", (chunk) => heard.set(child, `${heard.get(child) ?? ""}${chunk}`));
  return child;
}

/** Waits until the program has written a text; fails when its output has ended without it. */
async function said(child: ChildProcess, text: string): Promise<void> {
  while (heard.get(child)?.includes(text) !== true) {
    if (child.stdout?.closed === true)
      throw new Error(`${JSON.stringify(heard.get(child))} does not hold ${text}`);
    await sleep(5);
  }
}

/** The name and the state of a process, unless it is one of a tool that runs the program. */
function stateOf(pid: number): string[] {
  try {
    const [, name = "", state] =
      /\((.*)\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return ["node", "sh"].includes(name) ? [`${name} ${state}`] : [];
  } catch {
    return []; // It has just ended.
  }
}

for (const backend of ["namespaces", "bubblewrap", "chroot"]) {
  await describeWith(backend, "signals", () => {
    test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
      "%s reaches the program",
      async (signal) => {
        const name = signal.slice(3);
        const child = start(
          backend,
          `trap "echo got ${name}; exit 9" ${name}; ${STUBBORN.split("\n")[2]}`,
        );
        const end = ran(child);
        await said(child, "ready");
        child.kill(signal);
        expect(await end).toMatchObject({
          exitCode: 9,
          stdout: `ready\ngot ${name}\n`,
          // A shell reports it if it had a child at that moment, which then got the signal as well.
          stderr: expect.stringMatching(signal === "SIGHUP" ? /^(Hangup\n)?$/ : /^$/) as string,
        });
      },
    );

    test("a signal reaches the program once, and a second one ends everything", async () => {
      const marker = `sandboxlib-${process.pid}-${backend}`;
      const child = start(backend, `sh -c ': ${marker}; sleep 60; :' & ${STUBBORN}`);
      const end = ran(child);
      await said(child, "ready");
      child.kill("SIGTERM");
      await said(child, "got TERM");
      await sleep(LATER);
      expect(pidsWith(marker).length).toBeGreaterThan(0);
      child.kill("SIGTERM");
      expect(await end).toMatchObject({ signal: "SIGTERM", stdout: "ready\ngot TERM\n" });
      expect(pidsWith(marker)).toEqual([]);
    });

    test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
      "when the program dies of %s, so does the command line",
      async (signal) => {
        const child = start(backend, "echo ready; while :; do sleep 0.1; done");
        const end = ran(child);
        await said(child, "ready");
        child.kill(signal);
        expect(await end).toMatchObject({ exitCode: null, signal, stderr: "" });
      },
    );

    testUnless(
      existsSync(BASH) ? undefined : `there is no ${BASH}`,
      "SIGINT ends a program that waits for another, as Ctrl-C does",
      async () => {
        const child = start(backend, `exec ${BASH} --norc -c 'echo ready; sleep 20; echo late'`);
        const end = ran(child);
        await said(child, "ready");
        await sleep(LATER);
        child.kill("SIGINT");
        expect(await end).toMatchObject({ signal: "SIGINT", stdout: "ready\n", stderr: "" });
      },
    );

    test("a signal for a whole process group reaches the program once", async () => {
      const child = start(backend, STUBBORN, { detached: true });
      const end = ran(child);
      await said(child, "ready");
      process.kill(-(child.pid ?? 0), "SIGINT");
      await said(child, "got INT");
      await sleep(LATER);
      process.kill(-(child.pid ?? 0), "SIGTERM");
      expect(await end).toMatchObject({ signal: "SIGTERM", stdout: "ready\ngot INT\n" });
    });

    test("a signal that is handed on twice at once counts as one", async () => {
      const [child, end] = await interruptedTwice(backend);
      await said(child, "got INT");
      await sleep(LATER);
      expect([child.exitCode, child.signalCode]).toEqual([null, null]);
      // On a busy machine the signal before may have come late, so that this one counts as the same.
      for (; child.signalCode === null && child.exitCode === null; await sleep(LATER))
        child.kill("SIGINT");
      expect(await end).toMatchObject({ signal: "SIGINT", stdout: "ready\ngot INT\n" });
    });

    test("while one is repeated all the time, a second one still comes to count", async () => {
      const child = start(backend, STUBBORN);
      const end = ran(child);
      await said(child, "ready");
      for (let tries = 0; tries < 60 && child.signalCode === null; tries += 1) {
        child.kill("SIGINT");
        await sleep(50);
      }
      expect(await end).toMatchObject({ signal: "SIGINT", stdout: "ready\ngot INT\n" });
    });

    test("when the command line is stopped, so is the program, until both go on", async () => {
      const marker = `sandboxlib-${process.pid}-${backend}-stopped`;
      const count = "i=0; while [ $i -lt 10 ]; do i=$((i+1)); sleep 0.1; done";
      const child = start(backend, `: ${marker}; echo ready; ${count}; exit 7`);
      const end = ran(child);
      await said(child, "ready");
      child.kill("SIGTSTP");
      // A shell that has just forked is there twice, or waits in the kernel (state D) until its child, which is stopped as
      // well, calls exec.
      const states = () => {
        const all = pidsWith(marker).flatMap(stateOf);
        return [...new Set(all.filter((state) => state !== "sh D"))];
      };
      await expect.poll(states, { timeout: 5_000 }).toEqual(["node T", "sh T"]);
      await sleep(1_500);
      expect(states()).toEqual(["node T", "sh T"]);
      child.kill("SIGCONT");
      expect(await end).toMatchObject({ exitCode: 7, stdout: "ready\n", stderr: "" });
    });

    test("when the command line is killed, so is everything that it started", async () => {
      const marker = `sandboxlib-${process.pid}-${backend}-killed`;
      const child = start(backend, `sh -c ': ${marker}; sleep 60; :' & ${STUBBORN}`);
      const end = ran(child);
      await said(child, "ready");
      child.kill("SIGKILL");
      // The streams close when the last process that holds them is gone.
      expect(await end).toMatchObject({ exitCode: null, signal: "SIGKILL" });
      expect(pidsWith(marker)).toEqual([]);
    });

    terminalTest("Ctrl-C in a terminal reaches the program once", async () => {
      // The shell that the terminal starts must not get the signal as well.
      const terminal = inTerminal(`exec ${lineFor(backend, STUBBORN)}`);
      await terminal.until("ready");
      terminal.type("\u0003");
      await terminal.until("got INT");
      await sleep(LATER);
      terminal.type("\u0003");
      // script(1) returns 128+n if its program died of signal n.
      expect(await terminal.exitCode).toBe(130);
      expect(terminal.output().match(/got INT/g)).toHaveLength(1);
    });

    terminalTest("Ctrl-C ends the loop of a shell, unless the program handles it", async () => {
      const dies = "echo ready; while :; do sleep 0.1; done";
      const handles = "trap 'exit 0' INT; echo here; while :; do sleep 0.1; done";
      const line = `${lineFor(backend, handles)}; echo next; for i in 1 2; do ${lineFor(backend, dies)}; echo again; done; echo end`;
      const terminal = inTerminal(line, { SHELL: "/bin/bash" });
      await terminal.until("here");
      terminal.type("\u0003");
      await terminal.until("next");
      await terminal.until("ready");
      terminal.type("\u0003");
      expect(await terminal.exitCode).toBe(130);
      expect(terminal.output()).not.toMatch(/again|end/);
    });
  });
}

/** Starts a stubborn program and sends one signal twice, so quickly that it counts once. */
async function interruptedTwice(backend: string): Promise<[ChildProcess, Promise<Ran>]> {
  for (;;) {
    const child = start(backend, STUBBORN);
    const end = ran(child);
    await said(child, "ready");
    const before = performance.now();
    child.kill("SIGINT");
    await sleep(20);
    child.kill("SIGINT");
    if (performance.now() - before < AT_ONCE) return [child, end];
    child.kill("SIGKILL");
    await end;
  }
}

/** Skipped where there is no script(1) to make a terminal. */
function terminalTest(title: string, body: () => Promise<void>): void {
  testUnless(lackOf(SCRIPT), title, body);
}

function lineFor(backend: string, script: string): string {
  const options = ["--backend", backend, "--degrade", "--quiet", "--", "sh", "-c", script];
  const words = [process.execPath, BIN["run-sandbox"], ...options];
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/** Runs a line of shell in a terminal of its own. */
function inTerminal(line: string, env: Readonly<Record<string, string>> = {}) {
  const terminal = spawn(SCRIPT, ["-qefc", line, "/dev/null"], {
    cwd: "/",
    stdio: "pipe",
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void terminal.kill("SIGKILL"));
  let output = "";
  terminal.stdout.on("data", (text: Buffer) => (output += text.toString()));
  return {
    output: () => output,
    type: (text: string) => void terminal.stdin.write(text),
    until: async (text: string) => {
      while (!output.includes(text)) await sleep(20);
    },
    exitCode: once(terminal, "close").then(([exitCode]) => exitCode as number),
  };
}
