import chroot, { posixChroot } from "@sandboxlib/backend-chroot";
import type {
  Host,
  HostRun,
  Observation,
  ResolvedConfig,
  ToolPlan,
  Verdict,
} from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";

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

describe("the plan on Linux", () => {
  const plan = (config: Partial<ResolvedConfig>): ToolPlan =>
    chroot.plan({ ...plain, ...config }, made) as ToolPlan;

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
    expect(Object.keys(plan({}).mechanisms).sort()).toEqual(named(chroot));
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
        undo: ["/trusted/umount", "/srv/root/tmp"],
      },
      { run: ["/trusted/mkdir", "-p", "/srv/root/tmp/a/b"], undo: ["/trusted/true"] },
      {
        run: ["/trusted/mount", "--bind", "/host/-o bind", "/srv/root/tmp/a/b"],
        undo: ["/trusted/umount", "/srv/root/tmp/a/b"],
      },
    ]);
  });

  it("refuses to mount anything over the host itself", () => {
    expect(plan({ root: "/", mounts: [tmpfs] })).toMatchObject({ refusal: { path: "mounts[1]" } });
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
    for (const backend of [chroot, posixChroot]) {
      const probe = await backend.probe({ ...made, uid: 1000 });
      expect(probe).toMatchObject({ available: false, reason: "it needs root" });
    }
  });

  it("names the tools that are not there", async () => {
    const which = (name: string): string | undefined =>
      name === "setpriv" ? undefined : `/bin/${name}`;
    const probe = await chroot.probe({ ...made, which });
    expect(probe).toMatchObject({ available: false, reason: expect.stringMatching(/^setpriv:/) });
  });

  it("gives the kernel's reason when the trial fails", async () => {
    const run = () => Promise.resolve(ran(1, "unshare: unshare failed: Operation not permitted\n"));
    const probe = await chroot.probe({ ...made, run });
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
    const probe = await chroot.probe({ ...made, run });
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

function named({ capabilities }: Pick<typeof chroot, "capabilities">): string[] {
  return [...capabilities].sort();
}
