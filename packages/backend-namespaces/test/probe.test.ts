import type { Host, Probe } from "@sandboxlib/core/backend";
import { describe, expect, it } from "vitest";
import { probe } from "../src/probe.js";

const LAUNCHER = { path: "/opt/sandboxlib-launcher", version: "0.1.0" };

/** A host on which the launcher says this, and on which these files are. */
function hostWith(said: string, files: Readonly<Record<string, string>> = {}, uid = 1000): Host {
  return {
    platform: "linux",
    uid,
    gid: uid,
    which: (program) => `/usr/bin/${program}`,
    run: async ([program, argument = ""]) => {
      if (program === LAUNCHER.path)
        return { exitCode: said.startsWith("base") ? 1 : 0, stdout: said, stderr: "" };
      const stdout = files[argument];
      return { exitCode: stdout === undefined ? 1 : 0, stdout: stdout ?? "", stderr: "" };
    },
  };
}

const probeOf = (...host: Parameters<typeof hostWith>): Promise<Probe> =>
  probe(hostWith(...host), LAUNCHER);

const FORBIDDEN = "base\tclone\t1\n";
const APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

describe("a host where everything works", () => {
  it("lacks nothing", async () => {
    expect(await probeOf("")).toEqual({
      available: true,
      version: "sandboxlib-launcher 0.1.0",
      missing: [],
    });
  });
});

describe("a host that forbids user namespaces", () => {
  it.each([
    [
      "user.max_user_namespaces is 0",
      "base\tclone\t28\n",
      { "/proc/sys/user/max_user_namespaces": "0\n" },
      "sudo sysctl -w user.max_user_namespaces=10000",
    ],
    [
      "user.max_net_namespaces is 0",
      "base\tclone\t28\n",
      { "/proc/sys/user/max_user_namespaces": "9\n", "/proc/sys/user/max_net_namespaces": "0\n" },
      "sudo sysctl -w user.max_net_namespaces=10000",
    ],
    [
      "kernel.unprivileged_userns_clone is 0",
      FORBIDDEN,
      { "/proc/sys/kernel/unprivileged_userns_clone": "0\n" },
      "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ],
    [
      "kernel.apparmor_restrict_unprivileged_userns is 1",
      FORBIDDEN,
      { [APPARMOR]: "1\n", "/proc/self/attr/current": "unconfined\n" },
      "/etc/apparmor.d/sandboxlib-launcher",
    ],
    [
      "a seccomp filter around this process",
      FORBIDDEN,
      { "/proc/self/status": "NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n" },
      "--security-opt seccomp=unconfined",
    ],
    ["as many namespaces as the host allows", "base\tclone\t28\n", {}, "End what"],
    ["the kernel refuses it", FORBIDDEN, {}, "Look for a seccomp profile"],
    ["built without a kind of namespace", "base\tclone\t22\n", {}, "CONFIG_USER_NS"],
  ])("is told that %s, and what to do", async (reason, said, files, remedy) => {
    expect(await probeOf(said, files)).toEqual({
      available: false,
      reason: expect.stringContaining(reason),
      remedy: expect.stringContaining(remedy),
    });
  });

  it("names the call and its error", async () => {
    expect(await probeOf(FORBIDDEN)).toMatchObject({
      reason: expect.stringContaining("(clone: EPERM)"),
    });
  });

  it("is not told of a switch that does not bind it", async () => {
    const files = {
      [APPARMOR]: "1\n",
      "/proc/self/attr/current": "docker-default (enforce)\n",
      "/proc/self/status": "Seccomp:\t2\n",
    };
    expect(await probeOf(FORBIDDEN, files)).toMatchObject({
      reason: expect.stringContaining("seccomp"),
    });
    const asRoot = { "/proc/sys/kernel/unprivileged_userns_clone": "0\n" };
    expect(await probeOf(FORBIDDEN, asRoot, 0)).toMatchObject({
      reason: expect.stringContaining("the kernel refuses it"),
    });
  });
});

describe("a container", () => {
  it("that covers /proc lacks a procfs of its own, and keeps the rest", async () => {
    const mountinfo = [
      "22 1 0:21 / /proc rw,nosuid - proc proc rw",
      "23 22 0:5 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw",
    ].join("\n");
    const found = await probeOf("mount.proc\tfsmount\t1\n", {
      "/proc/self/mountinfo": mountinfo,
    });
    expect(found).toMatchObject({
      available: true,
      missing: [
        {
          capability: "mount.proc",
          reason: expect.stringContaining("/proc/kcore"),
          remedy: expect.stringContaining("systempaths=unconfined"),
        },
      ],
    });
  });

  it("that lets only root make user namespaces lacks those inside alone", async () => {
    const found = await probeOf("allow.user-namespaces\tunshare\t1\n");
    expect(found).toMatchObject({
      available: true,
      missing: [
        { capability: "allow.user-namespaces", reason: expect.stringContaining("unshare: EPERM") },
      ],
    });
  });

  it("that makes /proc/sys read-only lacks user namespaces that end there", async () => {
    const found = await probeOf("isolate.user\twrite max_user_namespaces\t30\n", {
      "/proc/self/mountinfo": "24 22 0:21 /sys /proc/sys ro,nosuid - proc proc rw\n",
    });
    expect(found).toMatchObject({
      missing: [{ capability: "isolate.user", reason: expect.stringContaining("/proc/sys") }],
    });
  });

  it("whose filter does not know a call is not taken for an old kernel", async () => {
    const said = "base\tmount_setattr\t38\n";
    expect(await probeOf(said, { "/proc/self/status": "Seccomp:\t2\n" })).toMatchObject({
      reason: expect.stringContaining("seccomp"),
    });
    expect(await probeOf(said)).toMatchObject({
      reason: expect.stringContaining("too old"),
      remedy: expect.stringContaining("5.12"),
    });
  });
});

describe("a host without newuidmap", () => {
  it("lacks ranges of ids, unless the caller is root", async () => {
    const without = (uid: number): Host => ({
      ...hostWith("", {}, uid),
      which: (program) => (program.startsWith("new") ? undefined : `/usr/bin/${program}`),
    });
    expect(await probe(without(1000), LAUNCHER)).toMatchObject({
      missing: [{ capability: "user.range", remedy: expect.stringContaining("uidmap") }],
    });
    expect(await probe(without(0), LAUNCHER)).toMatchObject({ missing: [] });
  });
});

describe("a host without a launcher that works", () => {
  it("is told why there is none", async () => {
    const none = { reason: "it is missing", remedy: "Build it." };
    expect(await probe(hostWith(""), none)).toEqual({ available: false, ...none });
  });

  it.each([undefined, 1, 127])("is told when it ends with %s and no reason", async (exitCode) => {
    const host = { ...hostWith(""), run: async () => ({ exitCode, stdout: "", stderr: "" }) };
    expect(await probe(host, LAUNCHER)).toMatchObject({
      available: false,
      remedy: expect.stringContaining("noexec"),
    });
  });
});
