import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, dropIn, makePlace, obstacle, original, type Place } from "./fixture.js";

/** What a call comes to: its exit code, and what it prints on one of the streams, whole or as a pattern. */
type Outcome = readonly [status: number, stdout?: string | RegExp, stderr?: string | RegExp];

interface Row {
  readonly title: string;
  readonly args: (place: Place) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly gives: Outcome;
  /** A difference: what the original gives. The README lists it. */
  readonly original?: Outcome;
  /** Why the row does not hold for root. */
  readonly notRoot?: true;
}

const run =
  (...args: readonly string[]) =>
  ({ root }: Place) => [root, ...args];
const sh =
  (script: string, ...options: readonly string[]) =>
  ({ root }: Place) => [...options, root, "sh", "-c", script];
const one = (option: string, ...values: string[]) => [option, ...values];
const NOT_FOUND = "No such file or directory\n";

const ARGUMENTS: readonly Row[] = [
  { title: "no arguments", args: () => [], gives: [1, "", "ROOTDIR argument must be specified\n"] },
  { title: "ROOTDIR alone prints the usage", args: run(), gives: [1, "", /^usage: /] },
  {
    title: "an option alone prints the usage",
    args: () => ["--unshare-net"],
    gives: [1, "", /^usage: /],
  },
  {
    title: "an unknown option alone prints the usage",
    args: () => ["--bogus"],
    gives: [1, "", /^usage: /],
  },
  {
    title: "an unknown option is taken for ROOTDIR",
    args: ({ root }) => ["--bogus", root, "sh"],
    gives: [1, "", `chdir: ${NOT_FOUND}`],
  },
  {
    title: "-- is taken for ROOTDIR",
    args: ({ root }) => ["--", root, "sh"],
    gives: [1, "", `chdir: ${NOT_FOUND}`],
  },
  {
    title: "--chdir=/data is taken for ROOTDIR",
    args: ({ root }) => ["--chdir=/data", root, "sh"],
    gives: [1, "", `chdir: ${NOT_FOUND}`],
  },
  {
    title: "an option after ROOTDIR is the program",
    args: run("--unshare-net", "sh"),
    gives: [1, "", `execv: ${NOT_FOUND}`],
  },
  {
    title: "--chdir without its argument",
    args: () => one("--chdir"),
    gives: [1, "", "--chdir takes one argument\n"],
  },
  {
    title: "--mount-bind with one argument",
    args: () => one("--mount-bind", "/a"),
    gives: [1, "", "--mount-bind takes two arguments\n"],
  },
  ...["--mount-readonly", "--mount-proc", "--mount-devapi", "--seccomp-profile-version"].map(
    (option) => ({
      title: `${option} without its argument`,
      args: () => one(option),
      gives: [1, "", `${option} takes one argument\n`] as const,
    }),
  ),
  {
    title: "--help",
    args: () => ["--unshare-net", "--help", "--bogus"],
    gives: [0, /^usage: .*\n\nRuns PROGRAM/s],
    original: [0, /^See .man linux-user-chroot.\n$/],
  },
  { title: "--version", args: () => ["--version"], gives: [0, "linux-user-chroot 2015.1\n"] },
  {
    title: "1023 options and ROOTDIR",
    args: ({ root }) => [...many(1023), root, "sh", "-c", "exit 7"],
    gives: [7],
  },
  {
    title: "1024 options and ROOTDIR",
    args: ({ root }) => [...many(1024), root, "sh"],
    gives: [1, "", "Too many mounts (maximum of 1024)\n"],
  },
  {
    title: "--seccomp-profile-version -1",
    args: sh("exit 7", "--seccomp-profile-version", "-1"),
    gives: [7],
  },
  {
    title: "--seccomp-profile-version 7",
    args: sh(":", "--seccomp-profile-version", "7"),
    gives: [1, "", "Unknown --seccomp-profile-version\n"],
  },
  ...["0", "xyz"].map((version) => ({
    title: `--seccomp-profile-version ${version} is refused`,
    args: sh("exit 7", "--seccomp-profile-version", version),
    gives: [1, "", /^--seccomp-profile-version 0: .*nothing is run/] as const,
    original: [7] as const,
  })),
];

const FAILURES: readonly Row[] = [
  {
    title: "ROOTDIR is missing",
    args: ({ path }) => [path("none"), "sh"],
    gives: [1, "", `chdir: ${NOT_FOUND}`],
  },
  {
    title: "ROOTDIR is a file",
    args: ({ path }) => [path("source/file"), "sh"],
    gives: [1, "", "chdir: Not a directory\n"],
  },
  {
    title: "ROOTDIR is not permitted",
    args: ({ path }) => [path("closed"), "sh"],
    gives: [1, "", "chdir: Permission denied\n"],
    notRoot: true,
  },
  {
    title: "--chdir leads nowhere",
    args: sh(":", "--chdir", "/none"),
    gives: [1, "", `chdir: ${NOT_FOUND}`],
  },
  {
    title: "--chdir leads to a file",
    args: sh(":", "--chdir", "/data/file"),
    gives: [1, "", "chdir: Not a directory\n"],
  },
  {
    title: "the program is not found",
    args: run("no-such"),
    gives: [1, "", `execv: ${NOT_FOUND}`],
  },
  {
    title: "the program is not executable",
    args: run("/etc/plain"),
    gives: [1, "", "execv: Permission denied\n"],
  },
  {
    title: "the program is a directory",
    args: run("/data"),
    gives: [1, "", "execv: Permission denied\n"],
  },
  {
    title: "a bind source is missing",
    args: sh(":", "--mount-bind", "/none/such", "/mnt"),
    gives: [1, "", "Couldn't open bind mount source\n"],
  },
  {
    title: "a bind source is not permitted",
    args: (place) => sh(":", "--mount-bind", place.path("closed"), "/mnt")(place),
    gives: [1, "", "Couldn't open bind mount source\n"],
    notRoot: true,
  },
  {
    title: "a bind target is missing",
    args: (place) => sh(":", "--mount-bind", place.source, "/none")(place),
    gives: [1, "", `mount (MS_BIND): ${NOT_FOUND}`],
  },
  {
    title: "a bind target is a file, the source a directory",
    args: (place) => sh(":", "--mount-bind", place.source, "/data/file")(place),
    gives: [1, "", "mount (MS_BIND): Not a directory\n"],
  },
  {
    title: "a read-only directory is missing",
    args: sh(":", "--mount-readonly", "/none"),
    gives: [1, "", `mount (MS_BIND): ${NOT_FOUND}`],
  },
  {
    title: "a proc directory is missing",
    args: sh(":", "--mount-proc", "/none"),
    gives: [1, "", `mount ("proc"): ${NOT_FOUND}`],
  },
  {
    title: "a devapi directory is missing",
    args: sh(":", "--mount-devapi", "/none"),
    gives: [1, "", `setting up devapi: ${NOT_FOUND}`],
  },
  {
    title: "DEST leads out of ROOTDIR",
    args: (place) => sh("exit 7", "--mount-bind", place.source, "/../source/sub")(place),
    gives: [1, "", /must not contain "\.\."/],
    original: [7],
  },
];

const PROGRAMS: readonly Row[] = [
  ...[0, 1, 42, 127, 143, 255].map(
    (status): Row => ({
      title: `exit code ${status}`,
      args: sh(`exit ${status}`),
      gives: [status],
    }),
  ),
  ...["KILL", "TERM", "SEGV"].map(
    (name, index): Row => ({
      title: `death by SIG${name}`,
      args: sh(`kill -${name} $$`),
      gives: [[137, 143, 139][index] ?? 0],
      original: [1],
    }),
  ),
  { title: "the program starts in /", args: sh("pwd"), gives: [0, "/\n"] },
  {
    title: "--chdir says where it starts",
    args: sh("pwd", "--chdir", "/data/deep"),
    gives: [0, "/data/deep\n"],
  },
  {
    title: "a relative --chdir starts from the new root",
    args: sh("pwd", "--chdir", "data"),
    gives: [0, "/data\n"],
  },
  {
    title: "the last of two --chdir counts",
    args: sh("pwd", "--chdir", "/data", "--chdir", "/work"),
    gives: [0, "/work\n"],
  },
  {
    title: "the PATH of the caller is searched inside",
    args: run("tool"),
    env: { PATH: `/opt/bin:/bin:${process.env["PATH"] ?? ""}` },
    gives: [0, "tool\n"],
  },
  {
    title: "the environment passes through",
    args: run("env"),
    env: { ONE: "1", "odd name": "2", EMPTY: "" },
    gives: [0, /^(?=.*^ONE=1$)(?=.*^odd name=2$)(?=.*^EMPTY=$)/ms],
  },
  {
    title: "PWD is where the program starts",
    args: sh('echo "$PWD"', "--chdir", "/data"),
    env: { PWD: "/somewhere" },
    gives: [0, "/data\n"],
  },
  {
    title: "PWD in the environment itself is set",
    args: ({ root }) => ["--chdir", "/data", root, "env"],
    env: { PWD: "/somewhere" },
    gives: [0, /^PWD=\/data$/m],
    original: [0, /^PWD=\/somewhere$/m],
  },
  {
    title: "real uid and gid",
    args: sh("id -u; id -g"),
    gives: [0, `${process.getuid?.()}\n${process.getgid?.()}\n`],
  },
  {
    title: "no new privileges",
    args: sh("grep NoNewPrivs /proc/self/status", "--mount-proc", "/proc"),
    gives: [0, "NoNewPrivs:\t1\n"],
  },
  {
    title: "arguments arrive as they are",
    args: run("sh", "-c", 'echo "$@"', "-x", "--", "a b", ""),
    gives: [0, "-- a b \n"],
  },
];

const MOUNTS: readonly Row[] = [
  {
    title: "the root is writable",
    args: sh("touch /work/new && rm /work/new || echo x >/work/new", "--chdir", "/"),
    gives: [0],
  },
  {
    title: "--mount-readonly / makes the root read-only",
    args: sh("echo x > /work/x", "--mount-readonly", "/"),
    gives: [1, "", /Read-only file system/],
  },
  {
    title: "--mount-readonly makes one directory read-only",
    args: sh("echo x >/work/x && echo x > /data/x", "--mount-readonly", "/data"),
    gives: [1, "", /\/data\/x: Read-only/],
  },
  {
    title: "a bind after --mount-readonly / is writable",
    args: (place) =>
      sh(
        "echo x > /mnt/other/x && cat /mnt/other/file && echo x > /x",
        "--mount-readonly",
        "/",
        "--mount-bind",
        place.source,
        "/mnt/other",
      )(place),
    gives: [1, "source\n", /can't create \/x: Read-only/],
  },
  {
    title: "a bind before --mount-readonly / is hidden by it",
    args: (place) =>
      sh(
        "ls /mnt/other",
        "--mount-bind",
        place.source,
        "/mnt/other",
        "--mount-readonly",
        "/",
      )(place),
    gives: [0, ""],
  },
  {
    title: "a bind over a bind hides it",
    args: (place) =>
      sh(
        "ls /mnt",
        "--mount-bind",
        place.source,
        "/mnt/other",
        "--mount-bind",
        place.path("source/sub"),
        "/mnt",
      )(place),
    gives: [0, ""],
  },
  {
    title: "a bind in a bind appears",
    args: (place) =>
      sh(
        "cat /mnt/sub/file",
        "--mount-bind",
        place.source,
        "/mnt",
        "--mount-bind",
        place.path("root/data"),
        "/mnt/sub",
      )(place),
    gives: [0, "data\n"],
  },
  {
    title: "a read-only bind cannot be written",
    args: (place) =>
      sh(
        "echo x > /mnt/x",
        "--mount-bind",
        place.source,
        "/mnt",
        "--mount-readonly",
        "/mnt",
      )(place),
    gives: [1, "", /Read-only/],
  },
  {
    title: "a directory in a bind can be made read-only",
    args: (place) =>
      sh(
        "echo x > /mnt/y && echo x > /mnt/sub/x",
        "--mount-bind",
        place.source,
        "/mnt",
        "--mount-readonly",
        "/mnt/sub",
      )(place),
    gives: [1, "", /sub\/x: Read-only/],
  },
  {
    title: "a file can be bound",
    args: (place) =>
      sh("cat /data/file", "--mount-bind", place.path("source/file"), "/data/file")(place),
    gives: [0, "source\n"],
  },
  {
    title: "a bind on / takes the place of ROOTDIR",
    args: ({ directory, root }) => [
      "--mount-bind",
      root,
      "/",
      `${directory}/source`,
      "/bin/sh",
      "-c",
      "cat /data/file",
    ],
    gives: [0, "data\n"],
  },
  {
    title: "DEST is put right behind ROOTDIR",
    args: ({ root, source }) => [
      "--mount-bind",
      source,
      "mnt",
      `${root}/`,
      "sh",
      "-c",
      "cat /mnt/file",
    ],
    gives: [0, "source\n"],
  },
  {
    title: "a DEST that is a symlink is followed inside",
    args: (place) => sh("cat /data/file", "--mount-bind", place.source, "/link")(place),
    gives: [0, "source\n"],
    original: [1, "", `mount (MS_BIND): ${NOT_FOUND}`],
  },
  {
    title: "--mount-proc with --unshare-pid shows the processes inside",
    args: sh("ls /proc | grep -c '^[0-9]'; :", "--unshare-pid", "--mount-proc", "/proc"),
    gives: [0, /^[1-5]\n$/],
  },
  {
    title: "without --unshare-pid no process of the host is seen either",
    args: sh(`kill -0 ${process.pid}`, "--mount-proc", "/proc"),
    gives: [1, "", /No such process/],
    original: [0],
  },
  {
    title: "with --unshare-pid the program is not pid 1",
    args: sh("echo $$", "--unshare-pid"),
    gives: [0, /^[2-9]\d*\n$/],
    original: [0, "1\n"],
  },
  {
    title: "--mount-devapi gives devices",
    args: sh(
      "[ -c /dev/zero ] && [ -L /dev/stdin ] && echo x > /dev/null && echo ok",
      "--mount-devapi",
      "/dev",
    ),
    gives: [0, "ok\n"],
  },
  {
    title: "--mount-devapi gives /dev/fd as well",
    args: sh("readlink /dev/fd", "--mount-devapi", "/dev"),
    gives: [0, /proc\/self\/fd\n$/],
    original: [1, ""],
  },
  {
    title: "--unshare-net leaves lo alone",
    args: sh(
      "cat /proc/net/dev | grep -c :",
      "--unshare-net",
      "--unshare-pid",
      "--mount-proc",
      "/proc",
    ),
    gives: [0, "1\n"],
  },
  {
    title: "--unshare-ipc keeps the name of the host",
    args: sh("hostname", "--unshare-ipc"),
    gives: [0, `${hostname()}\n`],
  },
  {
    title: "no fd of a bind reaches the program",
    args: (place) =>
      sh(
        "readlink /proc/self/fd/3",
        "--mount-bind",
        place.source,
        "/mnt",
        "--mount-proc",
        "/proc",
        "--unshare-pid",
      )(place),
    gives: [1, ""],
    original: [0, /source\n$/],
  },
];

function many(count: number): string[] {
  return Array.from({ length: count }, () => "--unshare-ipc");
}

const reason = obstacle();
for (const [name, program] of [
  ["the drop-in", dropIn],
  ["the original", original],
] as const) {
  const why = program === undefined ? "SANDBOXLIB_LINUX_USER_CHROOT is not set" : reason;
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: ${why})`, () => {
    let place: Place;
    beforeAll(() => {
      place = makePlace();
    });
    afterAll(() => place.remove());
    describe.each([
      ["arguments", ARGUMENTS],
      ["failures", FAILURES],
      ["programs", PROGRAMS],
      ["mounts", MOUNTS],
    ] as const)("%s", (_, rows) => {
      for (const row of rows) {
        const difference = row.original === undefined ? "" : " (a difference)";
        it.skipIf(row.notRoot === true && process.getuid?.() === 0)(
          `${row.title}${difference}`,
          () => {
            const { status, stdout, stderr } = call(
              program ?? "",
              row.args(place),
              row.env && { env: row.env },
            );
            const [code, out, err] = program === original ? (row.original ?? row.gives) : row.gives;
            expect(status, `${stdout}${stderr}`).toBe(code);
            for (const [said, wanted] of [
              [stdout, out],
              [stderr, err],
            ] as const) {
              if (typeof wanted === "string") expect(said).toBe(wanted);
              else if (wanted !== undefined) expect(said).toMatch(wanted);
            }
          },
        );
      }
    });
  });
}
