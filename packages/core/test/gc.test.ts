import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterEach, describe, expect, it } from "vitest";
import type { Step, Undo } from "../src/backend/plan.js";
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

const removing = (path: string): Undo => ({ kind: "remove", path });

/** Makes empty files, and returns their paths. */
function made(directory: string, ...names: readonly string[]): string[] {
  const paths = names.map((name) => join(directory, name));
  for (const path of paths) writeFileSync(path, "");
  return paths;
}

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
      const directory = temporary();
      const files = made(directory, "a", "b");
      const path = leave(dead(), { undo: files.map(removing) });
      const { undone } = await gc({ dryRun: true });
      expect(about(directory, undone)).toEqual(files.toReversed().map((file) => `rm ${file}`));
      expect([readdirSync(directory).length, existsSync(path)]).toEqual([2, true]);
      expect(about(directory, (await gc()).undone)).toEqual(about(directory, undone));
      expect([readdirSync(directory), existsSync(path)]).toEqual([[], false]);
    });

    it("are taken back in reverse", async () => {
      const outer = join(temporary(), "outer");
      const inner = join(outer, "inner");
      const step = (path: string): Step => ({ run: ["/bin/mkdir", path], undo: removing(path) });
      // A directory that is not empty is not removed.
      const { undo } = takeSteps([step(outer), { run: ["/bin/true"] }, step(inner)]);
      await Promise.all([undo(), undo()]);
      await undo();
      expect(existsSync(outer)).toBe(false);
    });

    it("are taken back up to the one that fails", async () => {
      const directory = temporary();
      const [first, never] = [join(directory, "first"), join(directory, "never")];
      const error = await thrown(() =>
        takeSteps([
          { run: ["/bin/touch", first], undo: removing(first) },
          { run: ["/bin/sh", "-c", "echo no >&2; exit 1"] },
          { run: ["/bin/touch", never] },
        ]),
      );
      expect([error.code, error.message.endsWith(": no")]).toEqual(["LAUNCH_FAILED", true]);
      expect(readdirSync(directory)).toEqual([]);
    });

    it("are taken back by gc when their process is dead", async () => {
      const [file = ""] = made(temporary(), "file");
      const path = leave(dead(), { undo: [removing(file)] });
      expect((await gc()).undone).toContain(`rm ${file}`);
      expect([existsSync(file), existsSync(path)]).toEqual([false, false]);
    });

    it("are taken back by gc when their process was of another boot", async () => {
      const [file = ""] = made(temporary(), "file");
      leave(owner({ boot: "0".repeat(32), namespace: "1" }), { undo: [removing(file)] });
      expect((await gc()).undone).toContain(`rm ${file}`);
      expect(existsSync(file)).toBe(false);
    });

    it("are left alone by gc while their process lives", async () => {
      const [file = ""] = made(temporary(), "file");
      const path = leave(owner(), { undo: [removing(file)] });
      const { unsure } = await gc();
      expect([existsSync(file), existsSync(path), about(file, unsure)]).toEqual([true, true, []]);
    });

    it.each([
      ["a command", (file: string) => ["/bin/rm", file]],
      ["another kind", (path: string) => ({ kind: "run", path })],
      [
        "more than a kind and a path",
        (path: string) => ({ kind: "remove", path, argv: ["/bin/rm"] }),
      ],
      ["a path that is an option", () => ({ kind: "unmount", path: "-a" })],
      ["the root", () => ({ kind: "unmount", path: "/" })],
      ["a path through ..", (file: string) => ({ kind: "remove", path: `/tmp/..${file}` })],
      ["no path", () => ({ kind: "remove", path: null })],
      ["nothing", () => null],
    ])("are not taken back by gc where a journal names %s", async (_, undoOf) => {
      const files = made(temporary(), "a", "b");
      const [first = "", second = ""] = files;
      for (const entry of [
        { undo: [removing(second), undoOf(first)] },
        { pending: undoOf(first) ?? 0, undo: [removing(second)] },
      ]) {
        const path = leave(dead(), entry);
        const { undone, unsure } = await gc();
        expect(about(path, unsure)).toEqual([expect.stringContaining("it is damaged")]);
        expect([about(second, undone), existsSync(path)]).toEqual([[], true]);
      }
      expect(files.map((file) => existsSync(file))).toEqual([true, true]);
    });

    it.each(["", "{", "null", "[]", '{"undo":[]}'])(
      "are not looked for by gc in a journal that holds %j, which keeps it from nothing else",
      async (text) => {
        const [file = ""] = made(temporary(), "file");
        const path = leave(dead(), {});
        writeFileSync(path, text);
        leave(dead(), { undo: [removing(file)] });
        const { undone, unsure } = await gc();
        expect([about(path, unsure).length, about(file, undone).length]).toEqual([1, 1]);
      },
    );

    it("are not taken back where a symlink has come in the way", async () => {
      const directory = temporary();
      const other = temporary();
      const [file = ""] = made(other, "file");
      symlinkSync(other, join(directory, "link"));
      const path = leave(dead(), { undo: [removing(join(directory, "link/file"))] });
      const { failed } = await gc();
      expect(about(directory, failed)).toEqual([expect.stringContaining("a symlink on the way")]);
      expect(existsSync(file)).toBe(true);
      rmSync(join(directory, "link"));
      expect(about(directory, (await gc()).undone)).toHaveLength(1);
      expect(existsSync(path)).toBe(false);
    });

    it.each([
      ["of another pid namespace", () => owner({ namespace: "1", started: "1" }), {}],
      ["of another mount namespace", dead, { mounts: 1 }],
      ["of an earlier version", () => `test-${process.pid}`, { pid: process.pid, started: "1" }],
    ])("%s are left alone by gc, which says so", async (_, name, more) => {
      const [file = ""] = made(temporary(), "file");
      const path = leave(name(), { undo: [removing(file)], ...more });
      expect(about(file, (await gc()).unsure)).toEqual([expect.stringContaining(path)]);
      expect([existsSync(file), existsSync(path)]).toEqual([true, true]);
    });

    it("are tried again by the next gc when they could not be taken back", async () => {
      const directory = temporary();
      const [first, second] = [join(directory, "first"), join(directory, "second")];
      const inside = join(second, "inside");
      mkdirSync(second);
      made(directory, "first", "second/inside");
      leave(dead(), { undo: [removing(first), removing(second)] });
      expect(about(second, (await gc()).failed)).toHaveLength(1);
      rmSync(inside);
      const { undone } = await gc();
      // What was taken back the first time is not taken back twice.
      expect([about(first, undone), about(second, undone).length]).toEqual([[], 1]);
    });

    it("are taken back once when several call gc at the same time", async () => {
      const [file = ""] = made(temporary(), "file");
      leave(dead(), { undo: [removing(file)] });
      const all = await Promise.all([gc(), gc(), gc()]);
      expect(all.flatMap(({ undone }) => about(file, undone))).toHaveLength(1);
      expect(all.flatMap(({ failed }) => about(file, failed))).toEqual([]);
    });

    it("are not taken back by gc where nobody knows whether they were taken", async () => {
      const [file = ""] = made(temporary(), "file");
      leave(dead(), { pending: removing(file) });
      expect(about(file, (await gc()).unsure)).toHaveLength(1);
      expect(existsSync(file)).toBe(true);
    });

    it("that cannot be taken back are left to gc, although their process lives", async () => {
      const directory = join(temporary(), "directory");
      const taken = takeSteps([{ run: ["/bin/mkdir", directory], undo: removing(directory) }]);
      const [file = ""] = made(directory, "file");
      await expect(taken.undo()).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
      rmSync(file);
      expect((await gc()).undone).toContain(`rm ${directory}`);
    });

    it("are taken back, and by gc, while this process does other work", async () => {
      const busy = join(temporary(), "busy");
      mkdirSync(busy);
      const step: Step = {
        run: ["/bin/mount", "-t", "tmpfs", "tmpfs", busy],
        undo: { kind: "unmount", path: busy },
      };
      const { undo } = takeSteps([step]);
      const user = spawn("/bin/sleep", ["60"], { cwd: busy, stdio: "ignore" });
      await once(user, "spawn");
      // It does not come to an end unless the timer fires twenty times meanwhile.
      await Promise.all([ticks(20).then(() => user.kill("SIGKILL")), undo()]);
      const many = Array.from({ length: 20 }, () => step.undo);
      for (const _ of many) spawnSync("/bin/mount", step.run.slice(1));
      leave(dead(), { undo: many });
      let fired = 0;
      const timer = setInterval(() => {
        fired += 1;
      }, 1);
      const { failed, undone } = await gc();
      clearInterval(timer);
      expect([about(busy, failed), about(busy, undone).length]).toEqual([[], 20]);
      expect(fired).toBeGreaterThan(1);
    });

    it.skipIf(lacksUnshare !== "")(
      `of a live process in another pid namespace, which this one has dead entries of, are left alone by gc${lacksUnshare}`,
      async () => {
        const directory = temporary();
        const [theirs = "", ours = ""] = made(directory, "theirs", "ours");
        const inside = await startInside(`
          const { takeSteps } = await import(${JSON.stringify(bundled("start/tool/steps.ts"))});
          takeSteps([{ run: ["/bin/true"], undo: ${JSON.stringify(removing(theirs))} }]);
          console.log(process.pid);
          setInterval(() => undefined, 1000);`);
        const before = readdirSync(DIRECTORY);
        // Of a dead process with the same pid in this namespace.
        leave(owner({ pid: "1", started: "1" }), { undo: [removing(ours)] });
        const { unsure } = await gc();
        expect([existsSync(ours), existsSync(theirs)]).toEqual([false, true]);
        expect(about(theirs, unsure)).toHaveLength(1);
        expect(readdirSync(DIRECTORY)).toEqual(before);
        await inside.end();
        const own = readdirSync(DIRECTORY).filter((name) => name.startsWith("1-"));
        written.push(...own.map((name) => join(DIRECTORY, name)));
      },
    );

    it.skipIf(lacksUnshare !== "")(
      `are left alone by gc in another pid namespace, where their pid is that of a dead process${lacksUnshare}`,
      async () => {
        const [file = ""] = made(temporary(), "file");
        const { undo } = takeSteps([{ run: ["/bin/true"], undo: removing(file) }]);
        const inside = await startInside(`
          const { gc } = await import(${JSON.stringify(bundled("index.ts"))});
          console.log(JSON.stringify(await gc()));`);
        expect([existsSync(file), inside.said.includes(file)]).toEqual([true, true]);
        await inside.end();
        await undo();
        expect(existsSync(file)).toBe(false);
      },
    );

    it("are written down where nobody else may write or read", () => {
      const journal = openJournal();
      journal.write([removing("/nowhere")]);
      expect(lstatSync(DIRECTORY).mode & 0o077).toBe(0);
      journal.remove();
    });
  },
);

/** A module of this package in one file, for a process of its own. */
function bundled(source: string): string {
  const outfile = join(temporary(), "module.mjs");
  const entryPoints = [join(import.meta.dirname, "../src", source)];
  buildSync({ entryPoints, outfile, bundle: true, platform: "node", format: "esm" });
  return outfile;
}

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
