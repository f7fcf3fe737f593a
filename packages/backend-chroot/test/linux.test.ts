import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import chroot from "@sandboxlib/backend-chroot";
import { type ConfigInput, createSandbox, type SandboxResult } from "@sandboxlib/core";
import type { Backend, ToolPlan } from "@sandboxlib/core/backend";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeAsRoot, output, type SmallRoot, smallRoot } from "./fixture.js";

describeAsRoot("chroot on Linux", () => {
  let small: SmallRoot;
  beforeAll(() => {
    small = smallRoot();
  });
  afterAll(() => small.remove());

  const run = async (
    script: string,
    config: ConfigInput = {},
    backend: Backend = chroot,
  ): Promise<SandboxResult> => {
    const sandbox = await createSandbox(
      { root: small.root, ...config },
      { backend, prefer: "all" },
    );
    return sandbox.run(["/bin/sh", "-c", script]);
  };

  /** Core checks one target, and the backend finds another: what a program can do in between. */
  const swapped = (target: string): Backend => ({
    ...chroot,
    plan: (config, host) =>
      chroot.plan(
        { ...config, mounts: config.mounts.map((mount) => ({ ...mount, target })) },
        host,
      ),
  });

  it.each([0, 1, 2, 125, 126, 127, 128, 137, 255])("an exit status of %i is told", async (code) => {
    const result = await run(`exit ${code}`, { mounts: [] });
    expect(result).toMatchObject({ outcome: "exited", exitCode: code });
  });

  it.each(["SIGHUP", "SIGINT", "SIGABRT", "SIGKILL", "SIGSEGV", "SIGPIPE", "SIGTERM", "SIGUSR1"])(
    "death by %s is told, and nothing of it goes to the program's streams",
    async (signal) => {
      const result = await run(`kill -${signal.slice(3)} $$`, { mounts: [] });
      expect(result).toMatchObject({ outcome: "signaled", signal });
      expect([result.stdout?.length, result.stderr?.length]).toEqual([0, 0]);
    },
  );

  it("death by a real-time signal is told as such", async () => {
    const result = await run("kill -34 $$", { mounts: [] });
    expect(result).toMatchObject({ outcome: "signaled", signal: "SIGRTMIN+0" });
  });

  it("every mount of a run is gone with it", async () => {
    const before = small.mounts();
    await run("true");
    await expect(run("true", {}, swapped("/nowhere"))).rejects.toThrow();
    expect(small.mounts()).toBe(before);
  });

  it("a mount over the host's own programs changes no tool of the setup", async () => {
    const mounts = ["/usr/bin", "/usr/sbin"].map((target) => ({
      type: "bind" as const,
      source: `${small.root}/bin`,
      target,
    }));
    const result = await run("echo in busybox", { root: "/", cwd: "/", mounts });
    expect(output(result)).toBe("in busybox\n");
  });

  it("the default mounts work over the host's own root", async () => {
    const script = "echo x >/dev/null && ls /tmp && cat /proc/1/comm && ls /dev/shm";
    expect(output(await run(script, { root: "/", cwd: "/" }))).toBe("cat\n");
  });

  it("a directory that became a symlink out of the root is not mounted on", async () => {
    mkdirSync(small.path("outside/dir"), { recursive: true });
    symlinkSync(small.path("outside"), `${small.root}/link`);
    for (const target of ["/link", "/link/dir"]) {
      const config: ConfigInput = { mounts: [{ type: "tmpfs", target: "/tmp" }] };
      await expect(run("true", config, swapped(target))).rejects.toThrow(/has changed/);
    }
  });

  it("a file that became a symlink out of the root is not mounted on", async () => {
    writeFileSync(small.path("victim"), "");
    writeFileSync(`${small.root}/etc/target`, "");
    symlinkSync(small.path("victim"), `${small.root}/etc/elsewhere`);
    const config: ConfigInput = {
      mounts: [{ type: "bind", source: "/proc/version", target: "/etc/target" }],
      defaultMounts: false,
    };
    await expect(run("true", config, swapped("/etc/elsewhere"))).rejects.toThrow(
      /file at .* failed/,
    );
  });

  it("a FIFO that took the place of a file fails, and does not hang", async () => {
    const made = await run("rm -f /etc/target; busybox mkfifo /etc/target", { mounts: [] });
    expect(made.exitCode).toBe(0);
    const mounts = [{ type: "bind" as const, source: "/proc/version", target: "/etc/target" }];
    await expect(run("true", { mounts, defaultMounts: false })).rejects.toThrow(
      /file at .* failed/,
    );
  });

  it("nothing is made in memory through a symlink", async () => {
    mkdirSync(small.path("host"));
    const config: ConfigInput = {
      mounts: [
        { type: "tmpfs", target: "/tmp" },
        { type: "tmpfs", target: "/tmp/a/b" },
      ],
      defaultMounts: false,
    };
    symlinkSync(small.path("host"), `${small.root}/mnt/a`);
    const backend: Backend = {
      ...chroot,
      plan: (settled, host) => {
        const mounts = settled.mounts.filter(({ create }) => create);
        const inRoot = mounts.map((mount) => ({ ...mount, target: "/mnt/a/b" }));
        const onMnt = { ...settled.mounts[0], target: "/mnt" } as (typeof mounts)[number];
        const { argv, ...plan } = chroot.plan(
          { ...settled, mounts: [onMnt, ...inRoot] },
          host,
        ) as ToolPlan;
        // Leaves out the tmpfs on /mnt, as if it had been covered.
        const at = argv.indexOf("tmpfs");
        return { ...plan, argv: argv.toSpliced(at, 4) as unknown as typeof argv };
      },
    };
    await expect(run("true", config, backend)).rejects.toThrow(/has changed/);
    expect(readdirSync(small.path("host"))).toEqual([]);
  });

  it("root inside can neither mount, nor unmount its root, nor make devices", async () => {
    const script =
      "busybox mount -t tmpfs x /tmp; busybox umount -l /; busybox mknod /tmp/d b 8 0; ls /tmp";
    const { stderr, ...result } = await run(script);
    expect(output(result)).toBe("");
    expect(
      Buffer.from(stderr ?? [])
        .toString()
        .match(/denied|not permitted/g),
    ).toHaveLength(3);
  });

  it("another user has no capability, no group of the caller's, and a /tmp to write to", async () => {
    const script =
      "id -u; id -G; echo x >/tmp/x && cat /tmp/x; grep -E 'CapEff|NoNew' /proc/self/status; ls /proc/1/fd/";
    const result = await run(script, { user: { uid: 1234, gid: 5678 } });
    expect(output(result)).toBe("1234\n5678\nx\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n");
  });

  it("a thousand mounts work", async () => {
    const mounts = [
      { type: "tmpfs" as const, target: "/mnt" },
      ...Array.from({ length: 1000 }, (_, index) => ({
        type: "bind" as const,
        source: "/proc/version",
        target: `/mnt/deep/${index}`,
      })),
    ];
    const result = await run("cd /mnt/deep; cat * | wc -l", { mounts });
    expect(output(result).trim()).toBe("1000");
  });

  it("more words than the kernel takes are LAUNCH_FAILED", async () => {
    const env = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`V${i}`, "x".repeat(120_000)]),
    );
    await expect(run("true", { env })).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
  });

  it("the program's environment reaches no tool before it", async () => {
    writeFileSync(small.path("evil.sh"), `touch ${small.path("pwned")}`);
    const evil = small.path("evil.sh");
    await run("true", { env: { ENV: evil, BASH_ENV: evil, PATH: small.directory, PS4: "$(id)" } });
    expect(readdirSync(small.directory)).not.toContain("pwned");
  });

  it("the report is the only place for what goes wrong in the setup", async () => {
    const broken: Backend = {
      ...chroot,
      plan: (config, host) => chroot.plan({ ...config, root: small.path("gone") }, host),
    };
    await expect(run("true", {}, broken)).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      message: expect.stringContaining("gone has changed since it was looked up"),
    });
  });

  it("pid 1 buries the orphans of the program", async () => {
    const script = "(sh -c 'sleep 0.1 & sleep 0.1 &'); sleep 0.4; ps -o stat,comm | grep -c '^Z'";
    expect(output(await run(script))).toBe("0\n");
  });

  it("a read of the host's mount table shows no staging", async () => {
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain("/proc/fs ");
    expect(output(await run("cat /proc/mounts"))).not.toContain("/proc/fs");
  });
});
