import chroot, { posixChroot, utilLinuxChroot } from "@sandboxlib/backend-chroot";
import type {
  Host,
  HostRun,
  LauncherPlan,
  Observation,
  ResolvedConfig,
  ToolPlan,
  Verdict,
} from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import { launcherMechanisms } from "../src/launcher.js";
import { probeLauncher } from "../src/probe.js";

const made: Host = {
  platform: "linux",
  uid: 0,
  gid: 0,
  which: (program) => `/trusted/${program}`,
  run: () => Promise.resolve(ran(9)),
};
const ran = (exitCode: number, stderr = ""): HostRun => ({ exitCode, stdout: "", stderr });

const plain: ResolvedConfig = {
  root: "/srv/root",
  rootReadOnly: false,
  mounts: [],
  mirrors: [],
  cwd: "/",
  env: { PWD: "/" },
  network: "host",
  isolate: new Set(),
  limits: {},
};
const bind = {
  type: "bind",
  source: "/host/-o bind",
  target: "/tmp/a/b",
  readOnly: false,
  kind: "directory",
  path: "mounts[0]",
  create: true,
} as const;
const tmpfs = {
  type: "tmpfs",
  size: 65_536,
  target: "/tmp",
  path: "mounts[1]",
  create: false,
} as const;

/** The words after those of the setup itself. */
function words({ argv }: ToolPlan): string[] {
  return argv.slice(argv.indexOf("sh", 3) + 2);
}

const nothingSeen: Observation = { exitCode: 0, signal: null, report: "", stderr: "" };

const died = "init 7\nsetsid: child 8 did not exit normally: Success\n";
const ENDINGS: [string, Partial<Observation>, Verdict][] = [
  ["exit status 137", { exitCode: 137 }, { kind: "exited", exitCode: 137 }],
  ["SIGKILL", { exitCode: 9, report: died }, { kind: "signaled", signal: "SIGKILL" }],
  [
    "a core dump",
    { exitCode: 139, report: died },
    { kind: "signaled", signal: "SIGSEGV", coreDumped: true },
  ],
  [
    "a real-time signal",
    { exitCode: 34, report: died },
    { kind: "signaled", signal: "SIGRTMIN+0" as NodeJS.Signals },
  ],
  [
    "the tool's end",
    { exitCode: null, signal: "SIGKILL" },
    { kind: "signaled", signal: "SIGKILL" },
  ],
];

describe("the plan for the launcher", () => {
  const found = { available: true, findings: { launcher: "/trusted/launcher" } } as const;
  const plan = (config: Partial<ResolvedConfig>): LauncherPlan =>
    chroot.plan({ ...plain, ...config }, made, found) as LauncherPlan;

  it("asks for no namespace but those that are always made, and for root's own capabilities", () => {
    expect(plan({ mounts: [tmpfs, bind] })).toEqual({
      kind: "launcher",
      argv: ["/trusted/launcher"],
      env: {},
      mechanisms: launcherMechanisms,
      setup: {
        namespaces: [],
        uid: 0,
        gid: 0,
        capabilities: expect.arrayContaining(["chown", "setuid", "dac_override"]),
        root: "/srv/root",
        rootReadOnly: false,
        mounts: [tmpfs, bind],
        mirrors: [],
      },
    });
  });

  it("keeps capabilities for the uid 0 alone", () => {
    expect(plan({ user: { uid: 0, gid: 7 } }).setup).toMatchObject({
      gid: 7,
      capabilities: expect.any(Array),
    });
    expect(plan({ user: { uid: 5, gid: 0 } }).setup).not.toHaveProperty("capabilities");
  });

  it("names a mechanism for every declared capability", () => {
    expect(Object.keys(plan({}).mechanisms).sort()).toEqual(named(chroot));
  });

  it("is that of the tools where the probe has found no launcher", () => {
    const there = chroot.plan(plain, made, { available: true }) as ToolPlan;
    expect(JSON.stringify(there)).toBe(JSON.stringify(utilLinuxChroot.plan(plain, made)));
  });
});

describe("the plan for the tools of util-linux", () => {
  const plan = (config: Partial<ResolvedConfig>): ToolPlan =>
    utilLinuxChroot.plan({ ...plain, ...config }, made) as ToolPlan;

  it("is the same for the same config", () => {
    expect(JSON.stringify(plan({}))).toBe(JSON.stringify(plan({})));
  });

  it("starts trusted tools only", () => {
    expect(plan({}).argv[0]).toBe("/trusted/unshare");
    expect(plan({}).env).toEqual({ PATH: "/trusted" });
  });

  it("gives the config's environment to no tool but the last", () => {
    const { argv, env } = plan({ env: { "-i": "a\nb=c", BASH_ENV: "/x" } });
    expect(env).not.toHaveProperty("BASH_ENV");
    const at = argv.indexOf("/trusted/env");
    expect(argv.slice(at, at + 6)).toEqual([
      "/trusted/env",
      "-i",
      "--",
      "-i=a\nb=c",
      "BASH_ENV=/x",
      "/trusted/unshare",
    ]);
  });

  it("hands over paths as words, never as part of a script", () => {
    const [script, other] = [plan({}), plan({ root: "/srv/$(x)", mounts: [bind, tmpfs] })].map(
      ({ argv }) => argv[argv.indexOf("-c") + 1],
    );
    expect(other).toBe(script);
  });

  it("makes a mount point in memory one name at a time", () => {
    const list = words(plan({ mounts: [tmpfs, bind] }));
    const operations = Array.from({ length: 4 }, (_, i) => list.slice(1 + 4 * i, 5 + 4 * i));
    expect(operations).toEqual([
      ["tmpfs", "/tmp", "", "mode=1777,nosuid,nodev,size=65536,nr_inodes=128"],
      ["mkdir", "/tmp", "a", ""],
      ["mkdir", "/tmp/a", "b", ""],
      ["bind", "/tmp/a/b", "", "/host/-o bind"],
    ]);
    expect(list[17]).toBe("--");
  });

  it("ends with `--`, after the cwd and the ids", () => {
    const { argv } = plan({ cwd: "/-x", user: { uid: 5, gid: 6 } });
    expect(argv.slice(-9)).toEqual([
      "--root",
      ".",
      "--wd",
      "/-x",
      "--setgid",
      "6",
      "--setuid",
      "5",
      "--",
    ]);
  });

  it("names a mechanism for every declared capability", () => {
    expect(Object.keys(plan({}).mechanisms).sort()).toEqual(named(utilLinuxChroot));
  });

  it.each(ENDINGS)("tells %s apart", (_name, seen, verdict) => {
    expect(plan({}).interpret({ ...nothingSeen, report: "init 7\n", ...seen })).toEqual(verdict);
  });

  it("never calls it a result when the setup did not get to the program", () => {
    const report = "mount: .: permission denied\nproc at /proc failed\n";
    for (const seen of [
      { exitCode: 0 },
      { exitCode: 125 },
      { exitCode: null, signal: "SIGTERM" },
    ] as const) {
      const verdict = plan({}).interpret({ ...nothingSeen, ...seen, report });
      expect(verdict).toMatchObject({ kind: "failed", code: "LAUNCH_FAILED" });
    }
  });

  it("knows pid 1 from a whole line of the report only", () => {
    expect(plan({}).readReport?.("init 12")).toEqual({ initPid: 12 });
    expect(plan({}).readReport?.("mount: init 12: no\n")).toEqual({});
  });
});

describe("the plan elsewhere", () => {
  const plan = (config: Partial<ResolvedConfig>): ToolPlan =>
    posixChroot.plan({ ...plain, ...config }, made) as ToolPlan;

  it("is that of the other systems", () => {
    const there = chroot.plan({ ...plain, mounts: [tmpfs] }, { ...made, platform: "freebsd" });
    expect(JSON.stringify(there)).toBe(JSON.stringify(plan({ mounts: [tmpfs] })));
  });

  it("is chroot(8), with the environment set before", () => {
    const argv = ["/trusted/env", "-i", "--", "PWD=/", "/trusted/chroot", "/srv/root"];
    expect(plan({}).argv).toEqual(argv);
  });

  it("needs a shell in the root for another cwd", () => {
    expect(plan({ cwd: "/a b" }).argv.slice(6)).toEqual([
      "/bin/sh",
      "-c",
      expect.stringContaining("cd -P"),
      "sh",
      "/a b",
    ]);
  });

  it("has something to take back for everything that it mounts", () => {
    expect(plan({ mounts: [tmpfs, bind] }).before).toEqual([
      {
        run: [
          "/trusted/mount",
          "-t",
          "tmpfs",
          "-o",
          "mode=1777,nosuid,nodev,size=65536,nr_inodes=128",
          "tmpfs",
          "/srv/root/tmp",
        ],
        undo: { kind: "unmount", path: "/srv/root/tmp" },
      },
      { run: ["/trusted/mkdir", "-p", "/srv/root/tmp/a/b"] },
      {
        run: ["/trusted/mount", "--bind", "/host/-o bind", "/srv/root/tmp/a/b"],
        undo: { kind: "unmount", path: "/srv/root/tmp/a/b" },
      },
    ]);
  });

  it("refuses to mount anything over the host itself", () => {
    expect(plan({ root: "/", mounts: [tmpfs] })).toMatchObject({
      refusal: { path: "mounts[1]", capability: "mount.tmpfs" },
    });
  });

  it("names a mechanism for every declared capability", () => {
    expect(Object.keys(plan({}).mechanisms).sort()).toEqual(named(posixChroot));
  });

  it.each([
    [127, "COMMAND_NOT_FOUND"],
    [126, "COMMAND_NOT_EXECUTABLE"],
  ])("takes exit status %i for chroot's own when chroot says so", (exitCode, code) => {
    const stderr = "/trusted/chroot: failed to run command: no\n";
    const made = plan({});
    expect(made.interpret({ ...nothingSeen, exitCode, stderr })).toMatchObject({
      kind: "failed",
      code,
    });
    expect(made.interpret({ ...nothingSeen, exitCode, stderr: `${stderr}more\n` })).toEqual({
      kind: "exited",
      exitCode,
    });
    expect(made.interpret({ ...nothingSeen, exitCode })).toEqual({ kind: "exited", exitCode });
  });
});

describe("the probe", () => {
  it("says that root is needed", async () => {
    for (const backend of [chroot, utilLinuxChroot, posixChroot]) {
      const probe = await backend.probe({ ...made, uid: 1000 });
      expect(probe).toMatchObject({ available: false, reason: "it needs root" });
    }
  });

  it("names the tools that are not there", async () => {
    const which = (name: string): string | undefined =>
      name === "setpriv" ? undefined : `/bin/${name}`;
    const probe = await utilLinuxChroot.probe({ ...made, which });
    expect(probe).toMatchObject({ available: false, reason: expect.stringMatching(/^setpriv:/) });
  });

  it("gives the kernel's reason when the trial fails", async () => {
    const run = () => Promise.resolve(ran(1, "unshare: unshare failed: Operation not permitted\n"));
    const probe = await utilLinuxChroot.probe({ ...made, run });
    expect(probe).toMatchObject({
      available: false,
      reason: "unshare: unshare failed: Operation not permitted",
    });
  });

  it("misses only what fails by itself", async () => {
    const run: Host["run"] = (argv) =>
      Promise.resolve(
        argv.some((word) => word.includes("-t proc")) ? ran(32, "mount: no\n") : ran(9),
      );
    const probe = await utilLinuxChroot.probe({ ...made, run });
    expect(probe).toMatchObject({
      available: true,
      missing: [{ capability: "mount.proc", reason: "mount: no" }],
    });
  });

  it("misses everything that was never verified on another system", async () => {
    const run = () => Promise.resolve(ran(0));
    const probe = await chroot.probe({ ...made, platform: "darwin", run });
    const missing = "missing" in probe ? probe.missing?.map(({ capability }) => capability) : [];
    const kept = [...chroot.capabilities].filter(
      (capability) => missing?.includes(capability) !== true,
    );
    expect(kept).toEqual(["root", "cwd", "exit.signal"]);
  });
});

describe("the probe by the launcher", () => {
  const launcher = { path: "/trusted/launcher", version: "1.2.3" };
  const ONLY_LAUNCHER = ["root.overlay", "env.loader", "seccomp", "session", "tty", "pool"];
  /** A host on which the launcher says that, and the tools work. */
  const saying = (stdout: string, exitCode = 0): Host => ({
    ...made,
    run: (argv) =>
      Promise.resolve(argv[0] === launcher.path ? { exitCode, stdout, stderr: "" } : ran(9)),
  });

  it("has the launcher make the sandboxes where that works", async () => {
    expect(await probeLauncher(saying(""), launcher)).toEqual({
      available: true,
      findings: { launcher: "/trusted/launcher" },
      version: "sandboxlib-launcher 1.2.3",
      missing: [],
    });
  });

  it("misses what the launcher cannot do by itself", async () => {
    const said = "mount.proc\tfsmount\t1\nisolate.user\tclone\t1\n";
    expect(await probeLauncher(saying(said), launcher)).toMatchObject({
      findings: { launcher: "/trusted/launcher" },
      missing: [
        { capability: "mount.proc", reason: "the launcher cannot do it here: fsmount: errno 1" },
      ],
    });
  });

  it.each([
    ["there is no launcher", saying(""), { reason: "it is gone", remedy: "Get it." }, "it is gone"],
    ["it can make no sandbox", saying("base\tclone\t1\n", 1), launcher, "clone: errno 1"],
    ["it does not run", saying("", 2), launcher, "does not run"],
  ])(
    "asks the tools where %s, and misses what these cannot do",
    async (_, host, installed, why) => {
      const probe = await probeLauncher(host, installed);
      expect(probe).toMatchObject({ available: true });
      expect(probe).not.toHaveProperty("findings");
      const missing = "missing" in probe ? (probe.missing ?? []) : [];
      expect(missing.map(({ capability }) => capability)).toEqual(ONLY_LAUNCHER);
      for (const { reason } of missing) expect(reason).toContain(why);
    },
  );

  it("says what the tools lack where neither works", async () => {
    const run = () => Promise.resolve(ran(1, "unshare: unshare failed: Operation not permitted\n"));
    const probe = await probeLauncher({ ...made, run }, launcher);
    expect(probe).toMatchObject({ available: false, reason: expect.stringMatching(/^unshare:/) });
  });
});

function named({ capabilities }: Pick<typeof chroot, "capabilities">): string[] {
  return [...capabilities].sort();
}
