import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { createSandbox } from "@sandboxlib/core";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

/** The launchers that this process has started. */
function launchers(): number[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

/** Ticks of processor time. */
function timeOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

describe.skipIf(skip)(`the launcher of a program with a terminal${note}`, () => {
  it("waits while nobody has it open, though there is more to type and to show", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const before = launchers();
    // More than the pipe takes that nobody reads, and less than that and the terminal take: which is a matter of luck.
    const sizes = [190_000, 200_000, 210_000, 220_000, 230_000];
    const children = sizes.map((size) => {
      const leaves = `stty raw -echo; head -c ${size} /dev/zero; exec 0<&- 1>&- 2>&-; sleep 20`;
      const child = sandbox.spawn(["sh", "-c", leaves], { tty: true });
      child.stdin?.on("error", () => undefined);
      return child;
    });
    await setTimeout(500);
    for (const { stdin } of children) stdin?.write(Buffer.alloc(300_000, "x"));
    await setTimeout(500);
    const own = launchers().filter((pid) => !before.includes(pid));
    const times = own.map(timeOf);
    await setTimeout(1_000);
    // A hundred, all in all, is a second of a whole processor.
    expect(
      own.map((pid, index) => timeOf(pid) - (times[index] ?? 0)).filter((n) => n > 10),
    ).toEqual([]);
    for (const child of children) await child[Symbol.asyncDispose]();
  });

  it("is there for a signal that comes when the program has just ended", async () => {
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const child = sandbox.spawn(["sh", "-c", "echo shown; exit 7"], { tty: true, stdout: "pipe" });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    // What is said of the end cannot be read meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    child.kill("SIGHUP");
    expect(await child.result).toMatchObject({ outcome: "exited", exitCode: 7 });
  });
});
