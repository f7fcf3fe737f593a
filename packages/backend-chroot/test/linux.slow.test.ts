import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import chroot, { utilLinuxChroot } from "@sandboxlib/backend-chroot";
import { type ConfigInput, createSandbox, type SandboxResult } from "@sandboxlib/core";
import type { Backend, LauncherPlan, ToolPlan } from "@sandboxlib/core/backend";
import { pidsWith } from "@sandboxlib/test-support";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeAsRoot, output, type SmallRoot, smallRoot } from "./fixture.js";

/** Both ways on Linux, and what each says of a path that is not what it was. */
const WAYS = [
  ["by the launcher", chroot, /is not what it was/],
  ["by the tools of util-linux", utilLinuxChroot, /has changed|file at .* failed/],
] as const;

for (const [how, ours, changed] of WAYS)
  describeAsRoot(`chroot on Linux, ${how}`, () => {
    let small: SmallRoot;
    beforeAll(() => {
      small = smallRoot();
    });
    afterAll(() => small.remove());

    const run = async (
      script: string,
      config: ConfigInput = {},
      backend: Backend = ours,
    ): Promise<SandboxResult> => {
      const sandbox = await createSandbox(
        { root: small.root, ...config },
        { backend, prefer: "all" },
      );
      return sandbox.run(["/bin/sh", "-c", script]);
    };

    /** Core checks one target, and the backend finds another: what a program can do in between. */
    const swapped = (target: string): Backend => ({
      ...ours,
      plan: (config, host, found) =>
        ours.plan(
          { ...config, mounts: config.mounts.map((mount) => ({ ...mount, target })) },
          host,
          found,
        ),
    });

    it.each([0, 1, 2, 125, 126, 127, 128, 137, 255])(
      "an exit status of %i is told",
      async (code) => {
        const result = await run(`exit ${code}`, { mounts: [] });
        expect(result).toMatchObject({ outcome: "exited", exitCode: code });
      },
    );

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
      const script = "echo x >/dev/null && ls /tmp && echo $$ && ls /dev/shm";
      expect(output(await run(script, { root: "/", cwd: "/" }))).toMatch(/^\d\d?\n$/);
    });

    it("a directory that became a symlink out of the root is not mounted on", async () => {
      mkdirSync(small.path("outside/dir"), { recursive: true });
      symlinkSync(small.path("outside"), `${small.root}/link`);
      for (const target of ["/link", "/link/dir"]) {
        const config: ConfigInput = { mounts: [{ type: "tmpfs", target: "/tmp" }] };
        await expect(run("true", config, swapped(target))).rejects.toThrow(changed);
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
      await expect(run("true", config, swapped("/etc/elsewhere"))).rejects.toThrow(changed);
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
      await run("true", {
        env: { ENV: evil, BASH_ENV: evil, PATH: small.directory, PS4: "$(id)" },
      });
      expect(readdirSync(small.directory)).not.toContain("pwned");
    });

    it("pid 1 buries the orphans of the program", async () => {
      const script = "(sh -c 'sleep 0.1 & sleep 0.1 &'); sleep 0.4; ps -o stat,comm | grep -c '^Z'";
      expect(output(await run(script))).toBe("0\n");
    });

    it("root keeps the capabilities to install and to build, and no program that it starts as another user does", async () => {
      const caps = "grep -E 'CapEff|CapBnd|NoNew' /proc/self/status";
      const other = `setpriv --reuid 1234 --regid 1234 --clear-groups sh -c "${caps}"`;
      const script = `${caps}; ${other}; chown 1234 /tmp && chmod 4755 /tmp && stat -c '%u %a' /tmp`;
      const kept = "CapEff:\t00000000800405fb\nCapBnd:\t00000000800405fb\nNoNewPrivs:\t1\n";
      const none = kept.replace("800405fb", "00000000");
      const config = { root: "/", cwd: "/", seccomp: "none" } as const;
      expect(output(await run(script, config))).toBe(`${kept}${none}1234 4755\n`);
    });

    it("what has changed its uid is gone with the run", async () => {
      const script =
        "setpriv --reuid 1234 --clear-groups setsid sleep 57.4731 & setpriv --reuid 4321 --clear-groups sleep 0; sleep 0.1";
      await run(script, { root: "/", cwd: "/" });
      expect(pidsWith("57.4731")).toEqual([]);
    });

    it("root inside can neither open nor end pid 1", async () => {
      const script =
        'kill -KILL 1; for f in root/etc exe fd/3 mem; do (: </proc/1/$f) 2>&- && echo $f; done; ls /proc/1/root/ 2>&-; echo "$?"';
      expect(output(await run(script))).toBe("1\n");
    });
  });

describeAsRoot("chroot on Linux, by the launcher", () => {
  let small: SmallRoot;
  beforeAll(() => {
    small = smallRoot();
  });
  afterAll(() => small.remove());

  const run = async (script: string, config: ConfigInput = {}): Promise<SandboxResult> => {
    const sandbox = await createSandbox(
      { root: small.root, ...config },
      { backend: chroot, prefer: "all" },
    );
    expect(sandbox.plan.kind).toBe("launcher");
    return sandbox.run(["/bin/sh", "-c", script]);
  };

  it("root cannot change the kernel's settings, some of which are a way out", async () => {
    const script =
      "for f in sys/kernel/core_pattern sys/vm/swappiness sysrq-trigger; do (: >>/proc/$f) 2>&- && echo $f; done; echo end";
    expect(output(await run(script))).toBe("end\n");
  });

  it("a device node of the root cannot be used", async () => {
    expect(spawnSync("mknod", [`${small.root}/etc/zero`, "c", "1", "5"]).status).toBe(0);
    const { stdout, exitCode } = await run("head -c 1 /etc/zero");
    expect([stdout?.length, exitCode]).toEqual([0, 1]);
  });

  it("a FIFO is mounted over like any other file", async () => {
    expect(spawnSync("mkfifo", [`${small.root}/etc/fifo`]).status).toBe(0);
    const mounts = [{ type: "bind" as const, source: "/proc/version", target: "/etc/fifo" }];
    expect(output(await run("cat /etc/fifo", { mounts }))).toContain("Linux version");
  });

  it("a plan file keeps the capabilities of the plan, too, but for those of files where set-id bits are forbidden", async () => {
    const mounts = [{ type: "proc" as const, target: "/proc" }];
    const config: ConfigInput = { root: "/", cwd: "/", mounts, command: ["/usr/bin/true"] };
    const sandbox = await createSandbox(config, { backend: chroot, prefer: "all" });
    const file = small.path("plan");
    writeFileSync(file, sandbox.planFile(), { mode: 0o600 });
    const [launcher] = (sandbox.plan as LauncherPlan).argv;
    const words = ["run", file, "--", "/bin/grep", "CapEff", "/proc/self/status"];
    const { stdout, stderr } = spawnSync(launcher, words, { encoding: "utf8" });
    expect([stdout, stderr]).toEqual(["CapEff:\t00000000000405fb\n", ""]);
  });

  it("what is left beyond the capabilities of the plan is VERIFY_FAILED", async () => {
    const lying: Backend = {
      ...chroot,
      plan(config, host, found) {
        const plan = chroot.plan(config, host, found) as LauncherPlan;
        const { capabilities = [], ...setup } = plan.setup;
        // The launcher is told all of them, and core, which asks once more, one less.
        const told = [capabilities];
        return {
          ...plan,
          setup: {
            ...setup,
            get capabilities() {
              return told.pop() ?? capabilities.filter((name) => name !== "setuid");
            },
          },
        };
      },
    };
    const sandbox = await createSandbox({ root: small.root }, { backend: lying, prefer: "all" });
    await expect(sandbox.run(["true"])).rejects.toMatchObject({
      code: "VERIFY_FAILED",
      message: expect.stringContaining("the capabilities 80 are left"),
    });
  });

  it("is refused, and not weaker, without CAP_SYS_ADMIN", async () => {
    const { plan } = await createSandbox({ root: small.root }, { backend: chroot, prefer: "all" });
    const [launcher] = (plan as LauncherPlan).argv;
    const words = ["--bounding-set", "-sys_admin", "--inh-caps", "-all", launcher, "probe"];
    const { stdout, status } = spawnSync("setpriv", [...words, "capabilities"], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^base\t.*CAP_SYS_ADMIN.*\t1\n$/)]);
  });
});

describeAsRoot("chroot on Linux, by the tools of util-linux", () => {
  let small: SmallRoot;
  beforeAll(() => {
    small = smallRoot();
  });
  afterAll(() => small.remove());

  const run = async (
    script: string,
    config: ConfigInput = {},
    backend: Backend = utilLinuxChroot,
  ): Promise<SandboxResult> => {
    const sandbox = await createSandbox(
      { root: small.root, ...config },
      { backend, prefer: "all" },
    );
    return sandbox.run(["/bin/sh", "-c", script]);
  };

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
      ...utilLinuxChroot,
      plan: (settled, host) => {
        const mounts = settled.mounts.filter(({ create }) => create);
        const inRoot = mounts.map((mount) => ({ ...mount, target: "/mnt/a/b" }));
        const onMnt = { ...settled.mounts[0], target: "/mnt" } as (typeof mounts)[number];
        const { argv, ...plan } = utilLinuxChroot.plan(
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

  it("the report is the only place for what goes wrong in the setup", async () => {
    const broken: Backend = {
      ...utilLinuxChroot,
      plan: (config, host) => utilLinuxChroot.plan({ ...config, root: small.path("gone") }, host),
    };
    await expect(run("true", {}, broken)).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      message: expect.stringContaining("gone has changed since it was looked up"),
    });
  });

  it("a read of the host's mount table shows no staging", async () => {
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain("/proc/fs ");
    expect(output(await run("cat /proc/mounts"))).not.toContain("/proc/fs");
  });
});
