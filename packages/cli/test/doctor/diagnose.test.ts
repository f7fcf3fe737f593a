import { describe, expect, test } from "vitest";
import { diagnose } from "../../src/doctor/diagnose.js";
import type { Observed } from "../../src/doctor/observe.js";
import { placesOf } from "../../src/doctor/places.js";
import type { Step } from "../../src/doctor/steps.js";

const STATUS = "CapEff:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0";
const RESTRICTED = { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1" };

type Files = Readonly<Record<string, string>>;

/** A host of which these files are known. */
function host(files: Files, more: Partial<Observed> = {}): Observed {
  const all: Files = {
    "/proc/self/status": STATUS,
    "/proc/self/attr/current": "unconfined",
    ...files,
  };
  const user = { uid: 1000, user: "me", has: () => true, places: [], programs: [] };
  return { ...user, read: (path) => all[path], ...more };
}

const LAUNCHER = {
  name: "sandboxlib-launcher",
  path: "/opt/x/node_modules/@sandboxlib/launcher-linux-x64/bin/sandboxlib-launcher",
  works: false,
};
const BWRAP = { name: "sandboxlib-bwrap", path: "/usr/bin/bwrap", works: false };

/** What unshare(1) says on Ubuntu 24.04, and what it says of the error that mount(2) is reported to get there. */
const UBUNTU: readonly (readonly [Step, string])[] = [
  ["map", "unshare: write failed /proc/self/uid_map: Operation not permitted"],
  ["mount", "unshare: cannot change root filesystem propagation: Permission denied"],
];

describe("AppArmor's restriction of user namespaces (recorded on Ubuntu 24.04; it cannot be produced here)", () => {
  test.each(UBUNTU)(
    "is told from the namespace that is made, and the %s that is refused",
    (step, said) => {
      const found = diagnose(step, said, host(RESTRICTED, { programs: [LAUNCHER, BWRAP] }));
      expect(found).toMatchObject({
        layer: "apparmor",
        cause: expect.stringContaining("`unshare --user true` works"),
      });
      expect(found.cause).toContain("kernel.apparmor_restrict_unprivileged_userns is 1");
    },
  );

  const [step, said] = UBUNTU[0] ?? ["map", ""];

  test("is lifted for the programs of the backends alone, by a profile for the path of each", () => {
    const { fix = "" } = diagnose(step, said, host(RESTRICTED, { programs: [LAUNCHER, BWRAP] }));
    expect(fix.split("\n")).toEqual([
      expect.stringContaining(
        `'profile sandboxlib-launcher "${LAUNCHER.path}" flags=(unconfined) { userns, }'`,
      ),
      expect.stringContaining(
        `'profile sandboxlib-bwrap "/usr/bin/bwrap" flags=(unconfined) { userns, }'`,
      ),
    ]);
    expect(fix).toContain("sudo apparmor_parser -r /etc/apparmor.d/sandboxlib-launcher");
    expect(fix).not.toContain("sysctl");
  });

  test("is no trouble for a program that has a profile: only the others get one", () => {
    const one = host(RESTRICTED, { programs: [{ ...LAUNCHER, works: true }, BWRAP] });
    expect(diagnose(step, said, one).fix).not.toContain("launcher");
    const both = host(RESTRICTED, { programs: [{ ...LAUNCHER, works: true }] });
    expect(diagnose(step, said, both)).toEqual({
      layer: "apparmor",
      works: true,
      cause: expect.stringContaining(`${LAUNCHER.path} can make them`),
    });
  });

  test("where no backend has a program, says what to install first", () => {
    expect(diagnose(step, said, host(RESTRICTED)).fix).toContain("@sandboxlib/backend-namespaces");
  });

  test.each([
    ["the setting is 0", { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0" }],
    [
      "this process has a profile",
      { ...RESTRICTED, "/proc/self/attr/current": "docker-default (enforce)" },
    ],
    [
      "it may do what root may",
      {
        ...RESTRICTED,
        "/proc/self/status": STATUS.replace("0000000000000000", "000001ffffffffff"),
      },
    ],
  ])("is not blamed where %s", (_why, files) => {
    expect(diagnose(step, said, host(files)).layer).toBe("unknown");
  });

  test("that refuses the namespace itself is told from a filter of system calls by its error", () => {
    const denied = "unshare: unshare failed: Permission denied";
    const filtered = {
      ...RESTRICTED,
      "/proc/self/status": STATUS.replace("Seccomp:\t0", "Seccomp:\t2"),
    };
    expect(diagnose("user", denied, host(filtered)).layer).toBe("apparmor");
    expect(
      diagnose("user", "unshare: unshare failed: Operation not permitted", host(filtered)).layer,
    ).toBe("seccomp");
  });
});

test("the profile of a container is told by its name, where a mount gets EACCES (recorded; it cannot be produced here)", () => {
  const files = { "/proc/self/attr/current": "docker-default (enforce)" };
  const places = placesOf({ exists: (path) => path === "/.dockerenv", env: {}, release: "6.8.0" });
  expect(diagnose("mount", UBUNTU[1]?.[1] ?? "", host(files, { places }))).toMatchObject({
    layer: "apparmor",
    cause: expect.stringContaining('"docker-default (enforce)"'),
    fix: "Start the container with --security-opt apparmor=unconfined",
  });
});

describe("settings that only kernels of Debian have (recorded; they cannot be produced here)", () => {
  const files = { "/proc/sys/kernel/unprivileged_userns_clone": "0" };
  const said = "unshare: unshare failed: Operation not permitted";

  test("kernel.unprivileged_userns_clone at 0 is found, with the command that sets it", () => {
    expect(diagnose("user", said, host(files))).toEqual({
      layer: "sysctl",
      cause: "kernel.unprivileged_userns_clone is 0",
      fix: "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    });
  });

  test("it does not bind who has CAP_SYS_ADMIN, and is no cause of another error", () => {
    const root = {
      ...files,
      "/proc/self/status": STATUS.replace("0000000000000000", "000001ffffffffff"),
    };
    expect(diagnose("user", said, host(root)).layer).toBe("unknown");
    expect(
      diagnose("user", "unshare: unshare failed: Function not implemented", host(files)).layer,
    ).toBe("unknown");
  });
});

test("a kernel without user namespaces is told by EINVAL, and WSL 1 by its release (recorded)", () => {
  const said = "unshare: unshare failed: Invalid argument";
  expect(diagnose("user", said, host({}))).toMatchObject({
    layer: "kernel",
    fix: "Boot a kernel with CONFIG_USER_NS.",
  });
  const places = placesOf({ exists: () => false, env: {}, release: "4.4.0-22621-Microsoft" });
  expect(diagnose("user", said, host({}, { places })).fix).toContain("wsl --set-version");
});

test("what covers /proc outside of a container is to be unmounted; what the kernel made for mounts is none", () => {
  const line = (at: string) => `23 22 0:5 / ${at} rw - tmpfs tmpfs rw`;
  const said = "unshare: mount /proc failed: Operation not permitted";
  const mounts = (...at: readonly string[]) =>
    host({ "/proc/self/mountinfo": ["/", "/proc", ...at].map(line).join("\n") });
  expect(diagnose("proc", said, mounts("/proc/fs/nfsd", "/proc/sys/fs/binfmt_misc"))).toMatchObject(
    {
      layer: "procfs",
      fix: "sudo umount /proc/fs/nfsd",
    },
  );
  expect(diagnose("proc", said, mounts("/proc/sys/fs/binfmt_misc")).layer).toBe("unknown");
});

describe("subordinate ids (of hosts that have newuidmap)", () => {
  const said = 'unshare: no line matching user "me" in /etc/subuid: Success';

  test("are granted where nobody else has them", () => {
    const files = {
      "/etc/subuid": "other:100000:65536\nme:165536:65536",
      "/etc/subgid": "other:100000:65536",
    };
    expect(diagnose("range", said, host(files))).toEqual({
      layer: "subuid",
      cause: "no line of /etc/subgid is for me or 1000",
      fix: "sudo usermod --add-subgids 231072-296607 me",
    });
    expect(diagnose("range", said, host({})).fix).toBe(
      "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 me",
    );
  });

  test("are of no use where setuid programs have no power", () => {
    const files = {
      "/etc/subuid": "1000:100000:65536",
      "/etc/subgid": "me:100000:65536",
      "/proc/self/status": STATUS.replace("NoNewPrivs:\t0", "NoNewPrivs:\t1"),
    };
    expect(diagnose("range", "newuidmap: write to uid_map failed", host(files))).toMatchObject({
      layer: "no-new-privileges",
      fix: expect.stringContaining("NoNewPrivileges=no"),
    });
  });

  test("need the tools, and a user who has a name", () => {
    const none = host({}, { has: (tool) => tool === "newuidmap" });
    expect(diagnose("range", said, none).cause).toBe("not installed: newgidmap");
    expect(diagnose("range", said, host({}, { user: undefined })).fix).toBe(
      "sudo useradd --uid 1000 NAME",
    );
  });
});

test("a cause that nothing shows is not made up: what was said is passed on", () => {
  expect(diagnose("net", "unshare: something else", host({}))).toMatchObject({
    layer: "unknown",
    cause: expect.stringContaining("unshare: something else"),
  });
  // A program that cannot be executed is no filter.
  expect(
    diagnose("call", "unshare: failed to execute /bin/true: Permission denied", host({})).layer,
  ).toBe("unknown");
});
