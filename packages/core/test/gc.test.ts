import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { gc } from "../src/index.js";
import { openJournal } from "../src/launch/journal.js";
import { startTimeOf } from "../src/launch/processes.js";
import { takeSteps } from "../src/launch/steps.js";
import { temporary } from "./support/temporary.js";
import { thrown } from "./support/thrown.js";

const DIRECTORY = "/var/run/sandboxlib";
const isRoot = process.getuid?.() === 0;
const written: string[] = [];

/** Writes what a run of another process would have left. */
function leave(entry: object): string {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
  const path = join(DIRECTORY, `test-${process.pid}-${written.length}.json`);
  writeFileSync(path, JSON.stringify({ pending: null, ...entry }));
  written.push(path);
  return path;
}

/** Our own pid with the start time of nobody: a process that is dead, and whose pid was given to another. */
const DEAD = { pid: process.pid, started: "1" };

describe.skipIf(!isRoot)(
  `steps on the host${isRoot ? "" : " (skipped: only root takes them)"}`,
  () => {
    afterEach(() => {
      for (const path of written.splice(0)) rmSync(path, { force: true });
    });

    it("are taken back in reverse", () => {
      const log = join(temporary(), "log");
      const step = (name: string) => ({
        run: ["/bin/sh", "-c", `echo +${name} >> ${log}`] as const,
        undo: ["/bin/sh", "-c", `echo -${name} >> ${log}`] as const,
      });
      const undo = takeSteps([step("a"), step("b")]);
      undo();
      undo();
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

    it("are taken back by gc when their process is dead", () => {
      const file = join(temporary(), "done");
      const path = leave({ ...DEAD, undo: [["/bin/touch", file]] });
      expect(gc().undone).toContain(`/bin/touch ${file}`);
      expect([existsSync(file), existsSync(path)]).toEqual([true, false]);
    });

    it("are left alone by gc while their process lives", () => {
      const file = join(temporary(), "done");
      const path = leave({
        pid: process.pid,
        started: startTimeOf(process.pid),
        undo: [["/bin/touch", file]],
      });
      gc();
      expect([existsSync(file), existsSync(path)]).toEqual([false, true]);
    });

    it("are tried again by the next gc when they could not be taken back", () => {
      const path = leave({ ...DEAD, undo: [["/bin/false"]] });
      expect(gc().failed.join()).toContain("/bin/false");
      expect(existsSync(path)).toBe(true);
    });

    it("are no failure of gc when another gc takes them back meanwhile", () => {
      const path = leave(DEAD);
      const undo = [["/bin/sh", "-c", `rm ${path}; exit 1`]];
      writeFileSync(path, JSON.stringify({ ...DEAD, undo, pending: null }));
      expect(gc().failed.join()).not.toContain(path);
    });

    it("are not taken back by gc where nobody knows whether they were taken", () => {
      const file = join(temporary(), "done");
      leave({ ...DEAD, undo: [], pending: ["/bin/touch", file] });
      expect(gc().unsure).toContain(`/bin/touch ${file}`);
      expect(existsSync(file)).toBe(false);
    });

    it("are written down where nobody else may write or read", () => {
      const journal = openJournal();
      journal.write([["/bin/true"]]);
      expect(lstatSync(DIRECTORY).mode & 0o077).toBe(0);
      journal.remove();
    });
  },
);

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
