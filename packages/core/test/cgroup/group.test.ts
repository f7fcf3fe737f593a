import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { probeCgroups } from "../../src/cgroup/delegation.js";
import { cgroupName, makeGroup } from "../../src/cgroup/group.js";
import { findParents, type ParentCgroup } from "../../src/cgroup/hierarchy.js";
import { gc } from "../../src/index.js";

const { missing } = probeCgroups();
const lack = missing.find(({ capability }) => capability === "limit.processes")?.reason;
const note = lack === undefined ? "" : ` (skipped: ${lack})`;

function parents(): ParentCgroup[] {
  return findParents(undefined).filter(({ controllers }) => controllers.has("pids"));
}

async function sleeper(): Promise<ChildProcess> {
  const child = spawn("/bin/sleep", ["60"], { stdio: "ignore" });
  await once(child, "spawn");
  return child;
}

describe.skipIf(lack !== undefined)(`a cgroup${note}`, () => {
  it("kills what is in it at its end, and is gone", async () => {
    const group = makeGroup(parents(), { processes: 20 }, false);
    const child = await sleeper();
    const ended = once(child, "exit");
    group.admit(child.pid ?? 0);
    const [file = ""] = [...group.procs, ...group.tasks];
    expect(existsSync(file)).toBe(true);
    await group.end();
    await group.end();
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(existsSync(dirname(file))).toBe(false);
  });

  it("counts what was in it, also when it is gone", async () => {
    const group = makeGroup(parents(), { processes: 20 }, false);
    const child = await sleeper();
    group.admit(child.pid ?? 0);
    await group.end();
    expect(group.stats().oomKills).toBe(0);
  });

  it("names the limit and the file of what cannot be set, and leaves nothing", () => {
    const before = subdirectories();
    // More than the kernel has pids.
    expect(() => makeGroup(parents(), { processes: 2 ** 40 }, false)).toThrow(
      expect.objectContaining({
        code: "LAUNCH_FAILED",
        path: "limits.processes",
        message: expect.stringContaining("pids.max"),
      }),
    );
    expect(subdirectories()).toEqual(before);
  });

  it("that cannot be entered says so", () => {
    const group = makeGroup(parents(), {}, false);
    expect(() => group.admit(2 ** 22 + 1)).toThrow(
      expect.objectContaining({ code: "LAUNCH_FAILED" }),
    );
    return group.end();
  });

  it("of a dead process is collected, with what is in it; one of a live process is not", async () => {
    const [first] = parents();
    const parent = first?.directory ?? "";
    const [live, dead] = [cgroupName(), cgroupName().replace(/-(\d+)-\d+-/, "-$1-1-")];
    for (const name of [live, dead]) mkdirSync(join(parent, name));
    const child = await sleeper();
    const ended = once(child, "exit");
    writeFileSync(join(parent, dead, "cgroup.procs"), String(child.pid));
    const { undone } = await gc();
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(undone).toContain(`rmdir ${join(parent, dead)}`);
    expect([live, dead].map((name) => existsSync(join(parent, name)))).toEqual([true, false]);
    rmdirSync(join(parent, live));
  });
});

function subdirectories(): string[] {
  return parents().flatMap(({ directory }) =>
    readdirSync(directory).filter((name) => name.includes(`-${process.pid}-`)),
  );
}
