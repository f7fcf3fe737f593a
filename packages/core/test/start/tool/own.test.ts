import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ownedName } from "../../../src/host/owner.js";
import type { Backend, OwnEntry, ToolPlan } from "../../../src/index.backend.js";
import * as tokens from "../../../src/index.backend.js";
import { createSandbox, gc, type Sandbox } from "../../../src/index.js";
import { OWN_BASE } from "../../../src/start/tool/own-removal.js";
import { temporary } from "../../support/temporary.js";

/** Plain JavaScript without types, which the caller below runs, too. */
const { elsewhere } = (await import(new URL("own-backend.mjs", import.meta.url).href)) as {
  elsewhere: (from: typeof tokens, place: string, change: Partial<ToolPlan>) => Backend;
};

const CONFIG = { cwd: "/", mounts: [], network: "host", isolate: [], writable: "all" } as const;

const sandboxOf = (place: string, change: Partial<ToolPlan> = {}, config = {}): Promise<Sandbox> =>
  createSandbox(
    { ...CONFIG, ...config },
    { backend: elsewhere(tokens, place, change), prefer: "all" },
  );

/** What is left on the host of runs of this process. */
const left = (): string[] =>
  existsSync(OWN_BASE)
    ? readdirSync(OWN_BASE).filter((name) => name.startsWith(`${process.pid}-`))
    : [];
/** What still runs elsewhere. */
const running = (place: string): string[] =>
  readdirSync(place).filter((name) => /^\d+-/.test(name));

async function ready(place: string): Promise<void> {
  while (!existsSync(join(place, "ready"))) await setTimeout(5);
}

describe("a run's own directory", () => {
  it("holds what the plan names, with its modes, and is gone afterwards with all that came to lie there", async () => {
    const place = temporary();
    const sandbox = await sandboxOf(place);
    expect((await sandbox.run(["sh", "-c", "exit 7"])).exitCode).toBe(7);
    expect(readFileSync(join(place, "seen"), "utf8")).toBe(
      "it's DIR/sub\nd 01777 ./sub\nd 0700 .\nf 0444 ./sub/text\nf 0600 ./bytes\n",
    );
    expect([left(), running(place)]).toEqual([[], []]);
  });

  it("is another for each run, also at the same time", async () => {
    const place = temporary();
    const sandbox = await sandboxOf(place);
    const runs = Array.from({ length: 5 }, () => sandbox.run(["true"]));
    expect((await Promise.all(runs)).map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
    expect([left(), running(place)]).toEqual([[], []]);
  });

  it.each(["../x", "/../x", "a/../../x", ".", ""])(
    "a plan cannot put anything beside it: %j",
    async (path) => {
      const place = temporary();
      const entry: OwnEntry = { type: "file", path, mode: 0o600, data: "" };
      const sandbox = await sandboxOf(place, { ownDirectory: [entry] });
      await expect(sandbox.run(["true"])).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
      expect([left(), running(place)]).toEqual([[], []]);
    },
  );

  it("is refused by name where a file is in the way", () => {
    const caller = fileURLToPath(new URL("own-caller.mjs", import.meta.url));
    const script = `mount -t tmpfs none /var/tmp && touch /var/tmp/sandboxlib-0 && exec "$@"`;
    const inside = ["sh", "-c", script, "sh", process.execPath, caller, temporary()];
    const argv = ["--user", "--map-root-user", "--mount", ...inside];
    const { stderr } = spawnSync("unshare", argv, { encoding: "utf8", timeout: 20_000 });
    expect(stderr).toMatch(
      /SandboxError: \/var\/tmp\/sandboxlib-0\/\S+ cannot be made for this run: /,
    );
    expect(stderr).toContain("/var/tmp/sandboxlib-0 has to be a directory of this user's alone");
  });

  it("is not made for a command that is not there", async () => {
    const place = temporary();
    const sandbox = await sandboxOf(place);
    await expect(sandbox.run(["/no/such"])).rejects.toMatchObject({ code: "COMMAND_NOT_FOUND" });
    expect([left(), running(place)]).toEqual([[], []]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "is not removed while something is mounted in it, so that nothing else is",
    async () => {
      const place = temporary({ kept: { file: "" } });
      const script = `mkdir "$WHERE/at" && mount --bind ${place}/kept "$WHERE/at"`;
      const sandbox = await sandboxOf(place);
      const failed = sandbox.run(["sh", "-c", script]);
      await expect(failed).rejects.toMatchObject({
        code: "CLEANUP_FAILED",
        message: expect.stringContaining("something is mounted at"),
      });
      const [abandoned = ""] = left();
      expect(abandoned).toMatch(/\.abandoned$/);
      const stays = await gc();
      expect(stays.failed.filter((line) => line.includes(abandoned))).toHaveLength(1);
      spawnSync("umount", [join(OWN_BASE, abandoned, "sub/at")]);
      const done = await gc();
      expect(done.undone).toContain(`rm -r ${join(OWN_BASE, abandoned)}`);
      expect(readdirSync(join(place, "kept"))).toEqual(["file"]);
      expect(left()).toEqual([]);
    },
  );
});

describe("what a tool has started elsewhere", () => {
  it.each([
    ["a time limit", { limits: { wallTime: 0.3 } }, "timed-out"],
    [
      "a time limit that is kind",
      { limits: { wallTime: 0.3 }, stop: { signal: "SIGTERM", grace: 5 } },
      "timed-out",
    ],
  ] as const)("is ended after %s", async (_, config, outcome) => {
    const place = temporary();
    const sandbox = await sandboxOf(place, {}, config);
    expect((await sandbox.run(["sleep", "1000"])).outcome).toBe(outcome);
    expect([left(), running(place)]).toEqual([[], []]);
  });

  it("is ended after an abort, and after SIGKILL", async () => {
    for (const outcome of ["aborted", "signaled"] as const) {
      const place = temporary();
      const abort = new AbortController();
      const child = (await sandboxOf(place)).spawn(["sleep", "1000"], { signal: abort.signal });
      await ready(place);
      expect(running(place)).toHaveLength(1);
      if (outcome === "aborted") abort.abort();
      else child.kill("SIGKILL");
      expect((await child.result).outcome).toBe(outcome);
      expect([left(), running(place)]).toEqual([[], []]);
    }
  });

  it("that cannot be ended is CLEANUP_FAILED, and gc runs no script that a program may have written", async () => {
    const place = temporary({ stuck: "" });
    const sandbox = await sandboxOf(place);
    await expect(sandbox.run(["true"])).rejects.toMatchObject({
      code: "CLEANUP_FAILED",
      message: expect.stringMatching(/: it is stuck$/),
    });
    expect(
      left()
        .map((name) => name.replace(/^[^.]*/, ""))
        .sort(),
    ).toEqual([".abandoned", ".abandoned.end"]);
    const [script = ""] = left().filter((name) => name.endsWith(".end"));
    rmSync(join(place, "stuck"));
    const { unsure } = await gc();
    expect(unsure.filter((line) => line.startsWith(join(OWN_BASE, script)))).toHaveLength(1);
    expect(running(place)).toHaveLength(1);
    execFileSync("sh", [join(OWN_BASE, script)]);
    rmSync(join(OWN_BASE, script));
    await gc();
    expect([left(), running(place)]).toEqual([[], []]);
  });

  it("is not looked for where the tool was never started", async () => {
    const place = temporary({ stuck: "" });
    const before = [{ run: ["/bin/false"] }] as const;
    // Only root takes steps; another user may not even write them down.
    const sandbox = await sandboxOf(place, { before });
    await expect(sandbox.run(["true"])).rejects.not.toMatchObject({ code: "CLEANUP_FAILED" });
    expect(left()).toEqual([]);
  });

  it("is not looked for where the path that would show it is gone", async () => {
    const place = temporary({ there: "" });
    const change = { argv: ["/bin/sh", "-c", 'exec "$@"', "sh"], end: ["/bin/false"] } as const;
    const lasting = await sandboxOf(place, { ...change, endWhile: join(place, "there") });
    await expect(lasting.run(["true"])).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
    for (const name of left()) rmSync(join(OWN_BASE, name), { recursive: true });
    const endWhile = `${tokens.OWN_DIRECTORY}/none`;
    const gone = await sandboxOf(place, { ...change, endWhile });
    expect(await gone.run(["true"])).toMatchObject({ outcome: "exited", exitCode: 0 });
    expect(left()).toEqual([]);
  });

  it("needs variables that a shell can set", async () => {
    const sandbox = await sandboxOf(temporary(), { env: { "a.b": "" } });
    await expect(sandbox.run(["true"])).rejects.toMatchObject({ code: "BACKEND_INVALID" });
    expect(left()).toEqual([]);
  });
});

describe("when the caller is killed", () => {
  it("what is elsewhere is ended at once, and gc removes the rest", async () => {
    const place = temporary();
    const caller = fileURLToPath(new URL("own-caller.mjs", import.meta.url));
    const child = spawn(process.execPath, [caller, place], { stdio: "ignore" });
    await ready(place);
    const [name = ""] = running(place);
    const pid = Number(readFileSync(join(place, name), "utf8"));
    // As a program could that may write there.
    writeFileSync(join(OWN_BASE, `${name}.end`), `touch ${place}/tampered`);
    child.kill("SIGKILL");
    await once(child, "exit");
    while (isThere(pid)) await setTimeout(5);
    while (running(place).length > 0) await setTimeout(5);
    while (existsSync(join(OWN_BASE, `${name}.end`))) await setTimeout(5);
    expect(existsSync(join(place, "tampered"))).toBe(false);
    const { undone } = await gc();
    expect(undone).toContain(`rm -r ${join(OWN_BASE, name)}`);
    expect(existsSync(join(OWN_BASE, name))).toBe(false);
  });

  it("gc leaves what another pid namespace has, and removes what was never whole", async () => {
    mkdirSync(OWN_BASE, { recursive: true, mode: 0o700 });
    const [pid, , namespace, ...rest] = ownedName().split("-");
    const foreign = join(OWN_BASE, [pid, "1", `${namespace}1`, ...rest].join("-"));
    const dead = join(OWN_BASE, [pid, "1", namespace, ...rest].join("-"));
    mkdirSync(foreign);
    writeFileSync(`${dead}.new`, "half a scr");
    try {
      const { unsure } = await gc();
      expect(unsure.filter((line) => line.startsWith(`${foreign}: `))).toHaveLength(1);
      expect([existsSync(foreign), existsSync(`${dead}.new`)]).toEqual([true, false]);
    } finally {
      rmSync(foreign, { recursive: true });
      await gc();
    }
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(" ")[2] !== "Z";
  } catch {
    return false;
  }
}
