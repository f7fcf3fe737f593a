import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, createPool, createSandbox, type Known } from "@sandboxlib/core";
import type { Backend, LauncherPlan, LauncherSetup, ResolvedMount } from "@sandboxlib/core/backend";
import { probeCgroups } from "@sandboxlib/core/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { note, skip } from "./available.js";

/** A backend that has the launcher set up something else than core takes it to. */
function settingUp(edit: (setup: LauncherSetup) => LauncherSetup): Backend {
  return {
    ...namespaces,
    plan(config, host) {
      const plan = namespaces.plan(config, host) as LauncherPlan;
      return { ...plan, setup: edit(plan.setup) };
    },
  };
}

function withMounts(edit: (mount: ResolvedMount) => ResolvedMount | undefined) {
  return (setup: LauncherSetup): LauncherSetup => ({
    ...setup,
    mounts: setup.mounts.flatMap((mount) => edit(mount) ?? []),
  });
}

const instead =
  (target: string, other: Partial<ResolvedMount>) =>
  (mount: ResolvedMount): ResolvedMount =>
    mount.target === target ? ({ ...mount, ...other } as ResolvedMount) : mount;
const without = (target: string) => (mount: ResolvedMount) =>
  mount.target === target ? undefined : mount;
const bindOf = (source: string) =>
  ({ type: "bind", source, kind: "directory", readOnly: false }) as const;

const withoutNamespace =
  (name: string) =>
  ({ hostname, ...setup }: LauncherSetup): LauncherSetup => ({
    ...setup,
    ...(hostname !== undefined && name !== "uts" && { hostname }),
    namespaces: setup.namespaces.filter((each) => each !== name),
  });

const LIES: readonly (readonly [field: string, lie: (setup: LauncherSetup) => LauncherSetup])[] = [
  ["root", (setup) => ({ ...setup, root: join(setup.root, "../other") })],
  ["writable", (setup) => ({ ...setup, rootReadOnly: false })],
  ["hidden[0]", withMounts(without("/keys"))],
  ["hidden[1]", withMounts(without("/key"))],
  ["mounts[0]", withMounts(instead("/proc", bindOf("/proc")))],
  ["mounts[1]", withMounts(instead("/dev", bindOf("/dev")))],
  ["mounts[2]", withMounts(without("/tmp"))],
  ["mounts[2]", withMounts(instead("/tmp", bindOf("/tmp")))],
  ["mounts[2].size", withMounts(instead("/tmp", { size: 1 << 30 }))],
  ["mounts[3]", withMounts(instead("/src", { source: "/usr/lib" }))],
  ["mounts[3].readOnly", withMounts(instead("/src", { readOnly: false }))],
  ["network", withoutNamespace("network")],
  ...(["ipc", "uts", "cgroup"] as const).map(
    (name) => ["isolate", withoutNamespace(name)] as const,
  ),
  // Without root the launcher makes one whatever it is told.
  ...(process.getuid?.() === 0 ? [["isolate", withoutNamespace("user")] as const] : []),
];

const lack = probeCgroups().missing.find(({ capability }) => capability === "limit.processes");
const why = lack === undefined ? "" : ` (skipped: ${lack.reason})`;
const TOUCH = ["touch", "/w/began"];

const title = `a receipt${note}`;

describe.skipIf(skip)(title, () => {
  let config: ConfigInput = {};
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "sandboxlib-receipt-"));
    const root = join(directory, "root");
    const shown = ["usr", "bin", "lib", "lib64"].filter((name) => existsSync(`/${name}`));
    for (const name of ["keys", "proc", "dev", "tmp", "src", "w", ...shown])
      for (const each of [root, join(directory, "other")])
        mkdirSync(join(each, name), { recursive: true });
    for (const each of [root, join(directory, "other")]) writeFileSync(join(each, "key"), "secret");
    config = {
      root,
      cwd: "/",
      hidden: ["/keys", "/key"],
      writable: ["/w"],
      mounts: [
        { type: "proc", target: "/proc" },
        { type: "dev", target: "/dev" },
        { type: "tmpfs", target: "/tmp", size: 65_536 },
        { type: "bind", source: "/usr/bin", target: "/src", readOnly: true },
        ...shown.map(
          (name) =>
            ({ type: "bind", source: `/${name}`, target: `/${name}`, readOnly: true }) as const,
        ),
      ],
    };
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const knownBy = async (backend: Backend, how: Known): Promise<string[]> => {
    const sandbox = await createSandbox(config, { backend });
    const { enforcement } = await sandbox.run(["true"]);
    return enforcement.enforced.filter((each) => each.known === how).map((each) => each.capability);
  };

  it("says of the shortest run what the kernel shows of it", async () => {
    expect(await knownBy(namespaces, "verified")).toEqual(
      expect.arrayContaining([
        "root",
        "writable.paths",
        "hidden",
        "mount.bind",
        "mount.bind.readOnly",
        "mount.tmpfs",
        "mount.tmpfs.size",
        "mount.dev",
        "isolate.mount",
        "isolate.pid",
        "isolate.user",
        "network.none",
      ]),
    );
  });

  // With a cgroup each sandbox has a set-up of its own, which can lie later.
  it.skipIf(lack !== undefined)(
    `is looked at before later programs, too, with verify always${why}`,
    async () => {
      let isLying = false;
      const backend = settingUp((setup) => ({
        ...setup,
        get rootReadOnly() {
          return !isLying;
        },
      }));
      const limited = { ...config, limits: { processes: 64 } };
      const sandbox = await createSandbox(limited, { backend, verify: "always" });
      expect(await sandbox.run(["true"])).toMatchObject({ exitCode: 0 });
      isLying = true;
      const expected = { code: "VERIFY_FAILED", path: "writable" };
      await expect(sandbox.run(["touch", "/later"])).rejects.toMatchObject(expected);
      expect(existsSync(join(directory, "root/later"))).toBe(false);
    },
  );

  it("says that nothing was looked at where nothing was to be", async () => {
    const sandbox = await createSandbox(config, { backend: namespaces, verify: "never" });
    const { enforcement } = await sandbox.run(["true"]);
    expect(new Set(enforcement.enforced.map(({ known }) => known))).toEqual(
      new Set(["by-construction"]),
    );
  });

  it("comes of one of three ways to verify", async () => {
    const verify = "sometimes" as "once";
    await expect(createSandbox(config, { backend: namespaces, verify })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      path: "verify",
      hint: "There are always, once, never.",
    });
  });

  it("says of nothing that the kernel shows it where only the launcher can know", async () => {
    expect(await knownBy(namespaces, "by-construction")).toEqual(
      expect.arrayContaining(["cwd", "tree.kill"]),
    );
  });

  for (const [index, [field, lie]] of LIES.entries())
    it(`is refused before the program starts, and names ${field}, where that is not so (${index})`, async () => {
      const backend = settingUp(lie);
      const expected = { code: "VERIFY_FAILED", path: field };
      const sandbox = await createSandbox(config, { backend });
      const began = ["root", "other"].map((name) => join(directory, name, "w/began"));
      for (const attempt of [() => sandbox.run(TOUCH), () => sandbox.spawn(TOUCH).result])
        await expect(attempt()).rejects.toMatchObject(expected);
      expect(began.filter((path) => existsSync(path))).toEqual([]);
      await expect(sandbox.openSession()).rejects.toMatchObject(expected);
      const pool = await createPool(config, { backend, size: 1 });
      await expect(pool.ready()).rejects.toMatchObject(expected);
      await pool.close();
    });
});
