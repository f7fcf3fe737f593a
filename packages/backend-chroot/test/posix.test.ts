import { readdirSync } from "node:fs";
import { posixChroot } from "@sandboxlib/backend-chroot";
import { type ConfigInput, createSandbox, type Sandbox } from "@sandboxlib/core";
import type { Backend, Step, ToolPlan } from "@sandboxlib/core/backend";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeAsRoot, output, type SmallRoot, smallRoot } from "./fixture.js";

describeAsRoot("chroot, the plain POSIX path", () => {
  let small: SmallRoot;
  beforeAll(() => {
    small = smallRoot();
  });
  afterAll(() => small.remove());

  const sandbox = (config: ConfigInput = {}, backend: Backend = posixChroot): Promise<Sandbox> =>
    createSandbox({ root: small.root, ...config }, { backend, prefer: "all" });

  const withStep = (step: Step): Backend => ({
    ...posixChroot,
    plan: (config, host) => {
      const plan = posixChroot.plan(config, host) as ToolPlan;
      return { ...plan, before: [...(plan.before ?? []), step] };
    },
  });

  const nested: ConfigInput = {
    mounts: [
      { type: "tmpfs", target: "/mnt" },
      { type: "bind", source: "/proc/version", target: "/mnt/a/file" },
      { type: "tmpfs", target: "/mnt/b" },
      { type: "dev", target: "/dev" },
      { type: "proc", target: "/proc" },
    ],
  };

  it("mounts are there during the run and gone after it", async () => {
    const before = small.mounts();
    const made = await sandbox(nested);
    const script =
      "cat /mnt/a/file && echo x >/mnt/b/x && echo x >/dev/null && ls /proc/self/fd | wc -l";
    const result = await made.run(["sh", "-c", script]);
    expect(result).toMatchObject({ outcome: "exited", exitCode: 0 });
    expect(output(result)).toContain("Linux version");
    expect(small.mounts()).toBe(before);
    expect(readdirSync(`${small.root}/mnt`)).toEqual([]);
  });

  it("mounts are gone when a later step fails", async () => {
    const before = small.mounts();
    const made = await sandbox(nested, withStep({ run: ["/bin/false"] }));
    await expect(made.run(["true"])).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
    expect(small.mounts()).toBe(before);
  });

  it("mounts are taken back in reverse", async () => {
    const before = small.mounts();
    // Keeps the mount below it busy.
    const path = `${small.root}/mnt/b/more`;
    const run = ["/bin/sh", "-c", `mkdir ${path} && mount -t tmpfs tmpfs ${path}`] as const;
    const made = await sandbox(nested, withStep({ run, undo: { kind: "unmount", path } }));
    await made.run(["true"]);
    expect(small.mounts()).toBe(before);
  });

  it("mounts are gone when the run is aborted", async () => {
    const before = small.mounts();
    const made = await sandbox(nested);
    const abort = new AbortController();
    const child = made.spawn(["sh", "-c", "cd /mnt/b; echo up; sleep 60"], {
      signal: abort.signal,
    });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    expect(small.mounts()).not.toBe(before);
    abort.abort();
    expect(await child.result).toMatchObject({ outcome: "aborted" });
    expect(small.mounts()).toBe(before);
  });

  it("a signal is told from an exit status", async () => {
    const made = await sandbox({ mounts: [] });
    expect(await made.run(["sh", "-c", "kill -9 $$"])).toMatchObject({
      outcome: "signaled",
      signal: "SIGKILL",
    });
    expect(await made.run(["sh", "-c", "exit 137"])).toMatchObject({
      outcome: "exited",
      exitCode: 137,
    });
  });

  it("a cwd is entered without a variable too many", async () => {
    const made = await sandbox({ cwd: "/etc", env: { PATH: "/bin" }, mounts: [] });
    const [pwd, env] = [await made.run(["pwd", "-P"]), await made.run(["env"])];
    expect(output(pwd)).toBe("/etc\n");
    expect(output(env).split("\n").sort()).toEqual(["", "PATH=/bin", "PWD=/etc"]);
  });

  it("mounts with the host's own root are refused before anything starts", async () => {
    const before = small.mounts();
    await expect(sandbox({ root: "/", cwd: "/" })).rejects.toMatchObject({
      code: "CAPABILITY_UNSUPPORTED",
      path: "mounts[0]",
    });
    expect(small.mounts()).toBe(before);
  });
});
