import {
  type Host,
  OWN_DIRECTORY,
  type ResolvedConfig,
  type ResolvedMount,
  type ToolPlan,
} from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import { linuxUserChrootAt } from "../src/index.js";
import { findLauncher } from "../src/launcher.js";
import { interpretGuest, interpretShell } from "../src/report.js";
import { dropIn } from "./fixture.js";

const host: Host = {
  platform: "linux",
  uid: process.getuid?.() ?? 0,
  gid: 1000,
  which: (program) => `/usr/bin/${program}`,
  run: () => Promise.reject(new Error("a plan runs nothing")),
};

const bind = { type: "bind", readOnly: false, path: "mounts[0]", create: false } as const;

const config: ResolvedConfig = {
  root: "/nowhere",
  rootReadOnly: false,
  mounts: [
    { ...bind, source: "/dev/zero", target: "/zero", kind: "file" },
    { ...bind, source: "/etc", target: "/etc", kind: "directory" },
  ],
  mirrors: [],
  cwd: "/",
  env: {},
  network: "host",
  isolate: new Set(["mount", "pid"]),
  limits: {},
};

it.each([
  ["is read-only", "/bin/sh", ["--mount-readonly", "/zero"]],
  ["is left to the drop-in", dropIn, ["--mount-bind", "/etc"]],
])("a device that is bound %s", (_, program, next) => {
  const { argv } = linuxUserChrootAt(program).plan(config, host) as ToolPlan;
  const at = argv.indexOf("/dev/zero");
  expect(argv.slice(at - 1, at + 4)).toEqual(["--mount-bind", "/dev/zero", "/zero", ...next]);
});

const on = (target: string, more: object): ResolvedMount =>
  ({ path: "mounts[9]", target, create: false, ...more }) as ResolvedMount;

const planned = (mounts: readonly ResolvedMount[], more: Partial<ResolvedConfig> = {}) =>
  linuxUserChrootAt("/bin/sh").plan({ ...config, mounts, ...more }, host) as ToolPlan;

it("the program is the one that the probe has found, and not looked at again", () => {
  const findings = { path: "/elsewhere/tool", isSetuid: true, isScript: false };
  const backend = linuxUserChrootAt("/bin/sh");
  const plan = backend.plan(config, host, { available: true, findings }) as ToolPlan;
  expect(plan.argv[0]).toBe("/elsewhere/tool");
});

it("what the drop-in says to do is the hint of the error, and what went wrong its message", () => {
  const stderr = "mounts[0]: it went away\nhint: Bring it back.\n";
  const seen = { exitCode: 1, signal: null, report: "", stderr };
  for (const verdict of [interpretGuest(seen), interpretShell(seen)])
    expect(verdict).toMatchObject({
      message: expect.stringMatching(/started: mounts\[0\]: it went away$/),
      hint: "Bring it back.",
    });
});

describe("a tmpfs", () => {
  it("is a directory of the run's own, with the mount points that are to be made in it", () => {
    const plan = planned([
      on("/tmp", { type: "tmpfs" }),
      on("/var/cache", { type: "tmpfs" }),
      on("/tmp/a/b", {
        type: "bind",
        source: "/etc",
        kind: "directory",
        readOnly: true,
        create: true,
      }),
      on("/tmp/a/file", {
        type: "bind",
        source: "/etc/passwd",
        kind: "file",
        readOnly: true,
        create: true,
      }),
    ]);
    expect(plan.ownDirectory).toEqual([
      { type: "directory", path: "tmpfs-0", mode: 0o1777, tmpfs: "/tmp" },
      { type: "directory", path: "tmpfs-1", mode: 0o1777, tmpfs: "/var/cache" },
      { type: "directory", path: "tmpfs-0/a", mode: 0o755 },
      { type: "directory", path: "tmpfs-0/a/b", mode: 0o755 },
      { type: "file", path: "tmpfs-0/a/file", mode: 0o444, data: "" },
    ]);
    const words = plan.argv.join(" ");
    expect(words).toContain(`--mount-bind ${OWN_DIRECTORY}/tmpfs-0 /tmp `);
    expect(words).toContain(`--mount-bind ${OWN_DIRECTORY}/tmpfs-1 /var/cache `);
  });

  it("is not needed for what needs none", () => {
    expect(planned([]).ownDirectory).toBeUndefined();
  });

  it("that only masks something of the host is read-only", () => {
    const plan = planned([on("/proc", { type: "tmpfs", isMask: true })]);
    expect(plan.argv.join(" ")).toMatch(/ --mount-bind \S+ \/proc --mount-readonly \/proc /);
  });

  it("a mount point in anything else is refused", () => {
    const inDev = [on("/dev", { type: "dev" }), on("/dev/x", { type: "tmpfs", create: true })];
    expect(planned(inDev)).toMatchObject({
      refusal: { path: "mounts[9]", capability: "mount.tmpfs" },
    });
  });
});

describe.skipIf(!("path" in findLauncher()))("the supervisor", () => {
  const proc = on("/sys/p", { type: "proc" });
  const isGuest = ({ argv }: ToolPlan): boolean =>
    argv.some((word) => /\/self\/fd\/\d$/.test(word));

  it("is the launcher where a procfs is mounted, and tells no variable to ps", () => {
    const plan = planned([proc], { env: { SECRET: "s3cret" } });
    expect(plan.argv.slice(-6)).toEqual([
      "/sys/p/self/fd/7",
      "guest",
      "report=8",
      "variables=9",
      "filter=6",
      "--",
    ]);
    expect(plan.argv.join(" ")).not.toContain("s3cret");
    expect(plan.fds).toMatchObject({ 6: "filter", 8: "report", 9: { data: "SECRET=s3cret\0" } });
    expect(plan.env["SANDBOXLIB_PASS_FDS"]).toBe("6,7,8,9");
    expect(plan.mechanisms["tree.kill"]).toContain("sandboxlib-launcher guest");
  });

  it("is the root's own shell where none is, or something lies over it, and the plan says so", () => {
    const over = on("/sys", { type: "tmpfs" });
    const within = on("/sys/p/self", { type: "tmpfs" });
    for (const [mounts, expected] of [
      [[], false],
      [[proc, over], false],
      [[over, proc], true],
      [[proc, within], false],
    ] as const) {
      const plan = planned(mounts);
      expect(isGuest(plan)).toBe(expected);
      expect(plan.mechanisms["tree.kill"]).toContain(
        expected ? "guest" : "a shell of the root's own",
      );
      expect(plan.env["SANDBOXLIB_PASS_FDS"]).toBe(expected ? "6,7,8,9" : "8");
    }
  });

  it("with a signal is the exit status 128+n, which the root's own shell cannot better", () => {
    const plan = planned([proc]);
    const seen = { exitCode: 1, signal: null, stderr: "" };
    const report = (status: number): string => `up 1\nstarted\nended ${status} 0 0 0 0 0 0 0 0 0\n`;
    expect(plan.interpret({ ...seen, report: report(9) })).toEqual({
      kind: "exited",
      exitCode: 137,
    });
    expect(plan.interpret({ ...seen, report: report(40) })).toEqual({
      kind: "exited",
      exitCode: 168,
    });
    expect(plan.interpret({ ...seen, report: "up 1\nstarted\n" })).toMatchObject({
      kind: "failed",
    });
    expect(
      plan.interpret({ ...seen, report: "", stderr: "execv: Permission denied" }),
    ).toMatchObject({
      code: "LAUNCH_FAILED",
      hint: expect.stringContaining("vm.memfd_noexec"),
    });
  });
});
