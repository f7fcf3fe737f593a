import { statSync } from "node:fs";
import type { Host, ResolvedConfig, ResolvedMount, ToolPlan } from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import { guardsFor } from "../src/guards.js";
import bubblewrap from "../src/index.js";

const host: Host = {
  platform: "linux",
  uid: 1000,
  gid: 1000,
  which: (program) => `/usr/bin/${program}`,
  run: () => Promise.reject(new Error("a plan runs nothing")),
};

const config: ResolvedConfig = {
  root: "/srv/root",
  rootReadOnly: true,
  mounts: [],
  mirrors: [],
  cwd: "/work",
  env: { PATH: "/bin", PWD: "/work" },
  network: "none",
  isolate: new Set(["mount", "pid", "ipc", "uts", "user", "cgroup"]),
  hostname: "sandbox",
  limits: {},
};

function planOf(change: Partial<ResolvedConfig> = {}, on: Host = host): ToolPlan {
  return bubblewrap.plan({ ...config, ...change }, on) as ToolPlan;
}

function options(change: Partial<ResolvedConfig>, on: Host = host): string[] {
  const { fds } = planOf(change, on);
  const data = fds?.[3];
  return typeof data === "object" && "data" in data
    ? String(data.data).split("\0").slice(0, -1)
    : [];
}

function mount(part: object): ResolvedMount {
  return { path: "mounts[0]", create: false, ...part } as ResolvedMount;
}

describe("the plan", () => {
  it("has nothing of the config on the command line", () => {
    expect(planOf().argv).toEqual([
      "/usr/bin/bwrap",
      "--perms",
      "0755",
      "--args",
      "3",
      "--json-status-fd",
      "4",
      "--block-fd",
      "10",
      "--",
    ]);
  });

  it("begins on the fd with the option that makes the command line complete", () => {
    expect(options({}).slice(0, 2)).toEqual(["--dir", "/"]);
  });

  it.each(["ipc", "uts", "user", "cgroup"] as const)("unshares %s when it is asked to", (name) => {
    expect(options({})).toContain(`--unshare-${name}`);
    expect(options({ isolate: new Set() })).not.toContain(`--unshare-${name}`);
  });

  it("forbids further user namespaces unless the config allows them", () => {
    const allow = ["user-namespaces"] as const;
    const seccomp = "build+user-namespaces";
    expect(options({})).toContain("--disable-userns");
    expect(options({ allow, seccomp })).not.toContain("--disable-userns");
    expect(planOf({ allow, seccomp }).fds?.[5]).toEqual({ filter: seccomp });
    expect(planOf({ allow, seccomp }).mechanisms["isolate.user"]).not.toContain("disable");
    expect(planOf({ allow, user: { uid: 0, gid: 0 } })).toMatchObject({
      refusal: { path: "allow", capability: "allow.user-namespaces" },
    });
  });

  it("always has a pid namespace that dies with bwrap, and no capability", () => {
    const words = options({ isolate: new Set(), network: "host" });
    expect(words).toEqual(
      expect.arrayContaining(["--unshare-pid", "--die-with-parent", "--cap-drop", "ALL"]),
    );
    expect(words).not.toContain("--unshare-net");
  });

  it.each([
    [
      { type: "bind", source: "/a", target: "/b", readOnly: false, kind: "directory" },
      "--bind /a /b",
    ],
    [{ type: "bind", source: "/a", target: "/b", readOnly: true, kind: "file" }, "--ro-bind /a /b"],
    [
      { type: "bind", source: "/dev/kvm", target: "/dev/kvm", readOnly: false, kind: "file" },
      "--dev-bind /dev/kvm /dev/kvm",
    ],
    [
      { type: "bind", source: "/device", target: "/b", readOnly: false, kind: "file" },
      "--bind /device /b",
    ],
    [{ type: "tmpfs", target: "/t" }, "--perms 1777 --tmpfs /t"],
    [{ type: "tmpfs", target: "/t", size: 4096 }, "--perms 1777 --size 4096 --tmpfs /t"],
    [
      { type: "proc", target: "/proc" },
      "--proc /proc --perms 0111 --tmpfs /proc/1 --remount-ro /proc/1",
    ],
    [{ type: "dev", target: "/dev" }, "--dev /dev --ro-bind /dev/null /dev/console"],
    [{ type: "mask", target: "/h", kind: "file" }, "--ro-bind /dev/null /h"],
    [{ type: "mask", target: "/h", kind: "directory" }, "--perms 0111 --tmpfs /h"],
  ])("mounts %j", (part, expected) => {
    expect(options({ mounts: [mount(part)] }).join(" ")).toContain(` ${expected} `);
  });

  it("seals what it hides after everything is mounted", () => {
    const words = options({
      mounts: [
        mount({ type: "mask", target: "/h", kind: "directory" }),
        mount({
          type: "bind",
          source: "/a",
          target: "/h/a",
          readOnly: false,
          kind: "directory",
          create: true,
        }),
      ],
    });
    expect(words.indexOf("--remount-ro")).toBeGreaterThan(words.indexOf("/h/a"));
  });

  it("makes /proc/sys read-only where the caller is root, whose files they are", () => {
    const mounts = [mount({ type: "proc", target: "/p" })];
    expect(options({ mounts }, { ...host, uid: 0 }).join(" ")).toContain(
      "--proc /p --ro-bind /proc/sys /p/sys",
    );
  });

  it("hands over the filter, on an fd of its own", () => {
    expect(options({}).join(" ")).toMatch(/ --seccomp 5$/);
    expect(planOf().fds?.[5]).toBe("filter");
  });

  it("starts bwrap through the launcher, and from a copy, where it and the devices are the caller's", () => {
    const owner = statSync("/dev/null").uid;
    const which = (): string => "/dev/null";
    const [own, others] = [owner, owner + 1].map((uid) => planOf({}, { ...host, uid, which }));
    expect(others?.argv[0]).toBe("/dev/null");
    expect(others?.clone).toBeUndefined();
    expect(own?.argv.slice(1, 3)).toEqual(["read-only-dev", "/dev/null"]);
    expect(own?.clone).toEqual({ program: "/dev/null", by: own?.argv[0] });
  });

  it("is refused to them where there is no launcher", () => {
    const none = { reason: "there is none", remedy: "Get one." };
    const { uid } = statSync("/dev/null");
    expect(guardsFor("/nowhere", { ...host, uid }, none)).toMatchObject({
      reason: expect.stringMatching(/: there is none$/),
      remedy: expect.stringMatching(/^Get one. Or run as another user/),
    });
    expect(guardsFor("/nowhere", { ...host, uid: uid + 1 }, none)).toEqual({ argv: ["/nowhere"] });
  });

  it("sets the environment inside only", () => {
    const change = { env: { LD_PRELOAD: "/evil.so", A: "--bind" } };
    expect(options(change)).toEqual(
      expect.arrayContaining(["--clearenv", "--setenv", "LD_PRELOAD", "/evil.so"]),
    );
    expect(planOf(change).env).toEqual({});
  });

  it("is guarded as the probe has tried, and does not look again", () => {
    const findings = { argv: ["/launcher", "read-only-dev", "/usr/bin/bwrap"] as const };
    const nowhere = { ...host, which: () => undefined };
    const plan = bubblewrap.plan(config, nowhere, { available: true, findings }) as ToolPlan;
    expect(plan.argv.slice(0, 3)).toEqual(findings.argv);
  });

  it("refuses more options than bwrap takes", () => {
    const mounts = Array.from({ length: 3000 }, (_, index) =>
      mount({ type: "bind", source: "/a", target: `/b${index}`, readOnly: false, kind: "file" }),
    );
    expect(bubblewrap.plan({ ...config, mounts }, host)).toMatchObject({
      refusal: {
        capability: "mount.bind",
        path: "mounts",
        reason: expect.stringMatching(/^90\d\d words of options/),
      },
    });
  });
});

describe("what bwrap reports", () => {
  const plan = planOf();
  const started =
    '{ "child-pid": 7, "mnt-namespace": 1, "pid-namespace": 2, "net-namespace": 3 }\n';
  const end = { exitCode: 1, signal: null, report: started, stderr: "" };

  it("is the program's exit code only if bwrap says so", () => {
    expect(plan.interpret({ ...end, report: `${started}{ "exit-code": 1 }\n` })).toEqual({
      kind: "exited",
      exitCode: 1,
    });
    expect(plan.interpret(end)).toMatchObject({ kind: "failed", code: "LAUNCH_FAILED" });
  });

  it("names pid 1 and the namespaces", () => {
    expect(plan.readReport?.(started)).toEqual({
      initPid: 7,
      namespaces: { mount: 1, pid: 2, network: 3 },
    });
  });

  it("is read to the last whole line", () => {
    expect(plan.readReport?.(started.slice(0, 20))).toEqual({});
  });

  it.each([
    ["bwrap: execvp x: No such file or directory\n", "COMMAND_NOT_FOUND"],
    ["bwrap: execvp x: Permission denied\n", "COMMAND_NOT_EXECUTABLE"],
    ["bwrap: Can't mkdir /a: Read-only file system\n", "LAUNCH_FAILED"],
  ])("%j is %s", (stderr, code) => {
    expect(plan.interpret({ ...end, stderr })).toMatchObject({ kind: "failed", code });
  });
});
