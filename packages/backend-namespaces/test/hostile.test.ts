import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createPool, createSandbox, type Session } from "@sandboxlib/core";
import { isRequired, newMarker, parentOf, pidsWith, spoken } from "@sandboxlib/test-support";
import { describe, expect, it } from "vitest";
import namespaces from "../src/index.js";
import { installedLauncher } from "../src/launcher.js";
import { note, skip } from "./available.js";

const perl = "/usr/bin/perl";
const noPerl =
  existsSync(perl) || isRequired("namespaces") ? "" : ` (skipped: there is no ${perl})`;
const notRoot = process.getuid?.() === 0 ? "" : " (skipped: not root)";
const PTRACE = process.arch === "arm64" ? 117 : 101;

async function openSession(): Promise<Session> {
  const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
  return sandbox.openSession();
}

describe.skipIf(skip)(`a program that turns on its sandbox${note}`, () => {
  it.skipIf(noPerl !== "")(`cannot pass a stop for its end${noPerl}`, async () => {
    const traceMe = `syscall(${PTRACE}, 0, 0, 0, 0); kill "STOP", $$; exit 3`;
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const session = await sandbox.openSession();
    for (const each of [sandbox, session]) {
      const child = await each.spawn([perl, "-e", traceMe]);
      // One that comes before the stop is lost.
      const again = setInterval(() => child.kill("SIGCONT"), 200);
      expect(await child.result).toMatchObject({ outcome: "exited", exitCode: 3 });
      clearInterval(again);
    }
    await session.close();
  });

  it("cannot change the host's devices, whoever the caller is", async () => {
    const before = statSync("/dev/null").ctimeMs;
    const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
    const script = "chmod 666 /dev/null && echo path; chmod 666 /proc/self/fd/0 && echo stream; :";
    for (const run of [sandbox.run(["sh", "-c", script]), inSession(script)]) {
      const { stdout, exitCode } = await run;
      expect([Buffer.from(stdout ?? []).toString(), exitCode]).toEqual(["", 0]);
    }
    expect(statSync("/dev/null").ctimeMs).toBe(before);
  });

  it("cannot take pid 1's fds away", async () => {
    const session = await openSession();
    const { exitCode, stderr } = await session.run(["prlimit", "--pid", "1", "--nofile=8:8"]);
    expect([exitCode, Buffer.from(stderr ?? []).toString()]).toEqual([
      1,
      expect.stringContaining("Operation not permitted"),
    ]);
    expect(await session.run(["true"])).toMatchObject({ outcome: "exited", exitCode: 0 });
    await session.close();
  });

  it("makes later commands fail, and none hang, when pid 1 has no fds left", async () => {
    const session = await openSession();
    const marker = newMarker("limited");
    await spoken(await session.spawn(["sh", "-c", "echo ready; sleep 600; :", marker]));
    const [init] = pidsWith(marker).map(parentOf);
    expect(spawnSync("/usr/bin/prlimit", ["--pid", `${init}`, "--nofile=8:8"]).status).toBe(0);
    const limits = { wallTime: 5 };
    for (const stdout of ["capture", { fd: 1 }] as const)
      await expect(session.run(["true"], { stdout, limits })).rejects.toMatchObject({
        code: "LAUNCH_FAILED",
      });
    await session.close();
  });

  // The kernel shows every owner that has no number inside as 65534.
  it.skipIf(notRoot !== "").for([
    { uid: 1000, gid: 1000 },
    { uid: 65_534, gid: 65_534 },
    { uid: 1000, gid: 65_534 },
  ])(
    `with $uid and $gid gets no directory by way of a mirror that it could not enter${notRoot}`,
    async (user) => {
      const root = mkdtempSync(join(tmpdir(), "sandboxlib-mirror-"));
      try {
        chmodSync(root, 0o755);
        mkdirSync(join(root, "closed"), { mode: 0o770 });
        chmodSync(join(root, "closed"), 0o770);
        writeFileSync(join(root, "closed/secret"), "secret", { mode: 0o644 });
        const mounts = [
          { type: "bind", source: "/usr", target: "/usr", readOnly: true },
          { type: "bind", source: "/usr/bin", target: "/bin", readOnly: true },
          { type: "bind", source: "/lib", target: "/lib", readOnly: true },
          { type: "tmpfs", target: "/closed/missing" },
        ] as const;
        const lib64 = existsSync("/lib64")
          ? [{ type: "bind", source: "/lib64", target: "/lib64", readOnly: true } as const]
          : [];
        const config = {
          root,
          cwd: "/",
          mounts: [...mounts, ...lib64],
          user,
        };
        const sandbox = await createSandbox(config, { backend: namespaces });
        const { stdout, exitCode } = await sandbox.run([
          "sh",
          "-c",
          "cat /closed/secret; ls /closed",
        ]);
        expect([Buffer.from(stdout ?? []).toString(), exitCode === 0]).toEqual(["", false]);
      } finally {
        rmSync(root, { recursive: true });
      }
    },
  );
});

describe.skipIf(skip)(`a program of a session${note}`, () => {
  it("cannot change the launcher's file by way of a process that executes it", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "sandboxlib-self-"));
    const launcher = launcherFile();
    const { mode } = statSync(launcher);
    chmodSync(scratch, 0o755);
    symlinkSync("/proc/self/exe", join(scratch, "tool"));
    const mounts = [
      { type: "proc", target: "/proc" },
      { type: "dev", target: "/dev" },
      { type: "bind", source: scratch, target: scratch, readOnly: true },
    ] as const;
    const sandbox = await createSandbox({ cwd: "/", mounts }, { backend: namespaces });
    const session = await sandbox.openSession();
    try {
      const change =
        'opendir $d, "/proc"; for (readdir $d) { chmod 0511, "/proc/$_/exe" if /^\\d/ && $_ > 1 && $_ != $$ }';
      const loop = `$SIG{TERM} = sub { exit }; for (;;) { ${change} }`;
      const child = await session.spawn([perl, "-e", loop]);
      for (let round = 0; round < 200; round += 1)
        await session.run([join(scratch, "tool")]).catch(() => undefined);
      child.kill("SIGKILL");
      await child.result;
      expect(statSync(launcher).mode).toBe(mode);
    } finally {
      chmodSync(launcher, mode);
      await session.close();
      rmSync(scratch, { recursive: true });
    }
  });
});

describe.skipIf(skip)(`a caller that asks for what cannot be${note}`, () => {
  it("gets an error for that command alone", async () => {
    const session = await openSession();
    const other = session.run(["sleep", "1"]);
    const child = await session.spawn(["sleep", "1"]);
    expect(() => child.kill("SIGFOO" as NodeJS.Signals)).toThrow(TypeError);
    await expect(session.run(["echo", "x".repeat(17 << 20)])).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      hint: expect.stringContaining("Shorten the command") as string,
    });
    expect([(await child.result).exitCode, (await other).exitCode]).toEqual([0, 0]);
    await session.close();
    await expect(session.run(["true"])).rejects.toThrow("the session has been closed");
  });

  it("gets a pool back whose waiting sandboxes were killed", async () => {
    const others = pidsWith("sandboxlib-launcher");
    const pool = await createPool({ cwd: "/" }, { backend: namespaces, size: 3 });
    await pool.ready();
    const launchers = pidsWith("sandboxlib-launcher").filter(
      (pid) => parentOf(parentOf(pid)) === process.pid && !others.includes(pid),
    );
    expect(launchers).toHaveLength(3);
    for (const pid of launchers) process.kill(pid, "SIGKILL");
    await expect.poll(() => launchers.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    await setTimeout(100); // The fork server tells this process.
    expect((await pool.run(["true"])).exitCode).toBe(0);
    await pool.ready();
    await pool.close();
  });

  it("leaves nothing when it dies while the launcher is stopped", async () => {
    const marker = newMarker("stopped");
    const core = JSON.stringify(import.meta.resolve("@sandboxlib/core"));
    const backend = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
    const script = `
      import { createSandbox } from ${core};
      import namespaces from ${backend};
      const sandbox = await createSandbox({ cwd: "/" }, { backend: namespaces });
      await sandbox.run(["sh", "-c", "sleep 999; :", process.argv[1]]);`;
    const argv = ["--input-type=module", "-e", script, marker];
    const library = spawn(process.execPath, argv, { stdio: "ignore" });
    let program: number | undefined;
    const found = (): typeof program => {
      // What the library has forked has its arguments until it executes something.
      program = pidsWith(marker).find((pid) => ![pid, parentOf(pid)].includes(library.pid ?? 0));
      return program;
    };
    await expect.poll(found, { timeout: 10_000 }).toBeDefined();
    const launcher = parentOf(parentOf(program ?? 0));
    process.kill(launcher, "SIGSTOP");
    library.kill("SIGKILL");
    await expect.poll(() => pidsWith(marker), { timeout: 5_000 }).toEqual([]);
    process.kill(launcher, "SIGKILL");
  });
});

function launcherFile(): string {
  const launcher = installedLauncher();
  if (!("path" in launcher)) throw new Error("there is no launcher");
  return launcher.path;
}

async function inSession(script: string): ReturnType<Session["run"]> {
  const session = await openSession();
  try {
    return await session.run(["sh", "-c", script]);
  } finally {
    await session.close();
  }
}
