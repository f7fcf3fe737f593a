import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ownedName } from "../src/host/owner.js";
import { gc } from "../src/index.js";
import { mountNamespace, openJournal } from "../src/start/tool/journal.js";
import { takeSteps } from "../src/start/tool/steps.js";
import { temporary } from "./support/temporary.js";
import { thrown } from "./support/thrown.js";

const DIRECTORY = "/var/run/sandboxlib";
const isRoot = process.getuid?.() === 0;
const lacksUnshare =
  spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status === 0
    ? ""
    : " (skipped: no pid namespace can be made)";
const written: string[] = [];

/** Writes what a run of another process would have left. */
function leave(owner: string, entry: object): string {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
  const path = join(DIRECTORY, `${owner}.json`);
  const none = { undo: [], pending: null, mounts: mountNamespace() };
  writeFileSync(path, JSON.stringify({ ...none, ...entry }));
  written.push(path);
  return path;
}

/** The fields of our own name, some of which are another's. */
function owner(other: { pid?: string; started?: string; namespace?: string; boot?: string } = {}) {
  const [pid, started, namespace, boot, ...rest] = ownedName().split("-");
  return [...Object.values({ pid, started, namespace, boot, ...other }), ...rest].join("-");
}

/** Our own pid with the start time of nobody: a process that is dead, and whose pid was given to another. */
const dead = (): string => owner({ started: "1" });

/** What gc said of a file: of other things it may have much to say. */
const about = (path: string, lines: readonly string[]): string[] =>
  lines.filter((line) => line.includes(path));

describe.skipIf(!isRoot)(
  `steps on the host${isRoot ? "" : " (skipped: only root takes them)"}`,
  () => {
    afterEach(() => {
      for (const path of written.splice(0)) rmSync(path, { force: true });
    });

    it("are only named by a dry run, in the order in which they would be taken back", async () => {
      const log = join(temporary(), "log");
      const undo = ["a", "b"].map((name) => ["/bin/sh", "-c", `echo -${name} >> ${log}`]);
      const path = leave(dead(), { undo });
      const { undone } = await gc({ dryRun: true });
      expect(about(log, undone)).toEqual(
        ["b", "a"].map((name) => `/bin/sh -c echo -${name} >> ${log}`),
      );
      expect([existsSync(log), existsSync(path)]).toEqual([false, true]);
      expect(about(log, (await gc()).undone)).toEqual(about(log, undone));
      expect([read(log), existsSync(path)]).toEqual(["-b\n-a\n", false]);
    });

    it("are taken back in reverse", async () => {
      const log = join(temporary(), "log");
      const step = (name: string) => ({
        run: ["/bin/sh", "-c", `echo +${name} >> ${log}`] as const,
        undo: ["/bin/sh", "-c", `echo -${name} >> ${log}`] as const,
      });
      const { undo } = takeSteps([step("a"), step("b")]);
      await Promise.all([undo(), undo()]);
      await undo();
      expect(read(log)).toBe("+a\n+b\n-b\n-a\n");
    });

    it("are taken back up to the one that fails", async () => {
      const log = join(temporary(), "log");
      const undo = ["/bin/sh", "-c", `echo undone >> ${log}`] as const;
      const run = (script: string) => ({ run: ["/bin/sh", "-c", script] as const, undo });
      const error = await thrown(() =>
        takeSteps([run(":"), run("echo no >&2; exit 1"), run(`echo never >> ${log}`)]),
      );
      expect([error.code, error.message.endsWith(": no")]).toEqual(["LAUNCH_FAILED", true]);
      expect(read(log)).toBe("undone\n");
    });

    it("are taken back by gc when their process is dead", async () => {
      const file = join(temporary(), "done");
      const path = leave(dead(), { undo: [["/bin/touch", file]] });
      expect((await gc()).undone).toContain(`/bin/touch ${file}`);
      expect([existsSync(file), existsSync(path)]).toEqual([true, false]);
    });

    it("are taken back by gc when their process was of another boot", async () => {
      const file = join(temporary(), "done");
      leave(owner({ boot: "0".repeat(32), namespace: "1" }), { undo: [["/bin/touch", file]] });
      expect((await gc()).undone).toContain(`/bin/touch ${file}`);
      expect(existsSync(file)).toBe(true);
    });

    it("are left alone by gc while their process lives", async () => {
      const file = join(temporary(), "done");
      const path = leave(owner(), { undo: [["/bin/touch", file]] });
      const { unsure } = await gc();
      expect([existsSync(file), existsSync(path), about(file, unsure)]).toEqual([false, true, []]);
    });

    it.each([
      ["of another pid namespace", () => owner({ namespace: "1", started: "1" }), {}],
      ["of another mount namespace", dead, { mounts: 1 }],
      ["of an earlier version", () => `test-${process.pid}`, { pid: process.pid, started: "1" }],
    ])("%s are left alone by gc, which says so", async (_, name, more) => {
      const file = join(temporary(), "done");
      const path = leave(name(), { undo: [["/bin/touch", file]], ...more });
      expect(about(file, (await gc()).unsure)).toEqual([expect.stringContaining(path)]);
      expect([existsSync(file), existsSync(path)]).toEqual([false, true]);
    });

    it("are tried again by the next gc when they could not be taken back", async () => {
      const directory = temporary();
      const [first, second] = [join(directory, "first"), join(directory, "second")];
      leave(dead(), {
        undo: [
          ["/bin/touch", first],
          ["/bin/test", "-e", second],
        ],
      });
      expect(about(second, (await gc()).failed)).toHaveLength(1);
      writeFileSync(second, "");
      const { undone } = await gc();
      // What was taken back the first time is not taken back twice.
      expect([about(first, undone), about(second, undone).length]).toEqual([[], 1]);
    });

    it("are taken back once when several call gc at the same time", async () => {
      const log = join(temporary(), "log");
      leave(dead(), { undo: [["/bin/sh", "-c", `echo undone >> ${log}`]] });
      const all = await Promise.all([gc(), gc(), gc()]);
      expect(read(log)).toBe("undone\n");
      expect(all.flatMap(({ failed }) => about(log, failed))).toEqual([]);
    });

    it("are not taken back by gc where nobody knows whether they were taken", async () => {
      const file = join(temporary(), "done");
      leave(dead(), { pending: ["/bin/touch", file] });
      expect(about(file, (await gc()).unsure)).toHaveLength(1);
      expect(existsSync(file)).toBe(false);
    });

    it("that cannot be taken back are left to gc, although their process lives", async () => {
      const file = join(temporary(), "free");
      const undo = ["/bin/test", "-e", file] as const;
      const taken = takeSteps([{ run: ["/bin/true"], undo }]);
      await expect(taken.undo()).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
      writeFileSync(file, "");
      expect((await gc()).undone).toContain(undo.join(" "));
    });

    it("are taken back, and by gc, while this process does other work", async () => {
      const directory = temporary();
      const [busy, freed] = [join(directory, "busy"), join(directory, "freed")];
      mkdirSync(busy);
      const { undo } = takeSteps([
        { run: ["/bin/mount", "-t", "tmpfs", "tmpfs", busy], undo: ["/bin/umount", busy] },
      ]);
      const user = spawn("/bin/sleep", ["60"], { cwd: busy, stdio: "ignore" });
      await once(user, "spawn");
      // Neither comes to an end unless the timer fires twenty times meanwhile.
      await Promise.all([ticks(20).then(() => user.kill("SIGKILL")), undo()]);
      leave(dead(), { undo: [["/bin/sh", "-c", `until test -e ${freed}; do sleep 0.1; done`]] });
      const [, { failed }] = await Promise.all([
        ticks(20).then(() => writeFileSync(freed, "")),
        gc(),
      ]);
      expect(about(freed, failed)).toEqual([]);
    });

    it.skipIf(lacksUnshare !== "")(
      `of a live process in another pid namespace, which this one has dead entries of, are left alone by gc${lacksUnshare}`,
      async () => {
        const directory = temporary();
        const log = join(directory, "log");
        const inside = await startInside(`
          const { takeSteps } = await import(${JSON.stringify(DIST)} + "start/tool/steps.js");
          takeSteps([{ run: ["/bin/true"], undo: ["/bin/sh", "-c", "echo undone >> ${log}"] }]);
          console.log(process.pid);
          setInterval(() => undefined, 1000);`);
        const before = readdirSync(DIRECTORY);
        const ours = join(directory, "ours");
        // Of a dead process with the same pid in this namespace.
        leave(owner({ pid: "1", started: "1" }), { undo: [["/bin/touch", ours]] });
        const { unsure } = await gc();
        expect([existsSync(ours), read(log), about(log, unsure).length]).toEqual([true, "", 1]);
        expect(readdirSync(DIRECTORY)).toEqual(before);
        await inside.end();
        const own = readdirSync(DIRECTORY).filter((name) => name.startsWith("1-"));
        written.push(...own.map((name) => join(DIRECTORY, name)));
      },
    );

    it.skipIf(lacksUnshare !== "")(
      `are left alone by gc in another pid namespace, where their pid is that of a dead process${lacksUnshare}`,
      async () => {
        const log = join(temporary(), "log");
        const { undo } = takeSteps([
          { run: ["/bin/true"], undo: ["/bin/sh", "-c", `echo undone >> ${log}`] },
        ]);
        const inside = await startInside(`
          const { gc } = await import(${JSON.stringify(DIST)} + "index.js");
          console.log(JSON.stringify(await gc()));`);
        expect([read(log), inside.said.includes(log)]).toEqual(["", true]);
        await inside.end();
        await undo();
        expect(read(log)).toBe("undone\n");
      },
    );

    it("are written down where nobody else may write or read", () => {
      const journal = openJournal();
      journal.write([["/bin/true"]]);
      expect(lstatSync(DIRECTORY).mode & 0o077).toBe(0);
      journal.remove();
    });
  },
);

const DIST = new URL("../dist/", import.meta.url).href;
const UNSHARE = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/** Runs a script as pid 1 of a pid namespace that shares this one's /var/run, up to the first line that it says. */
async function startInside(script: string) {
  const node = [process.execPath, "--input-type=module", "-e", script];
  const child: ChildProcess = spawn("unshare", [...UNSHARE, ...node], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (line: Buffer) => resolve(line.toString()));
    child.once("exit", (code) => reject(new Error(`it has said nothing: ${code}`)));
  });
  const ended = once(child, "close");
  return {
    said,
    async end() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Resolves when a timer has fired that often. */
function ticks(count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

describe("gc", () => {
  it.each([
    [{ dryrun: true }, "dryrun: unknown option"],
    [{ dryRun: "yes" }, 'dryRun: "yes" is neither true nor false'],
    [{ dryRun: null }, "dryRun: null is neither true nor false"],
    [true, "options: true is no object"],
    [null, "options: null is no object"],
  ])("takes nothing back when it is given %j", async (options, message) => {
    const error = await thrown(() => gc(options as never));
    expect([error.code, error.message]).toEqual(["CONFIG_INVALID", message]);
  });
});
