import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { skipOrRequire } from "@sandboxlib/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { findLauncher } from "../lib/index.js";

const launcher = findLauncher();
const reason = "path" in launcher ? undefined : launcher.reason;
const { skip, note: why } = skipOrRequire("namespaces", reason);
const path = "path" in launcher ? launcher.path : "";

const unshare = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"] as const;
const noPids =
  spawnSync(unshare[0], [...unshare.slice(1), "true"]).status === 0 ? "" : "no pid namespaces here";

/** Runs a program to its end. Fd 4 is the report; what is in `data` follows on 5 and 6. */
function guest(
  words: readonly string[],
  program: readonly string[],
  {
    data = [],
    argv = [path],
    open = [],
  }: { data?: (string | Uint8Array)[]; argv?: readonly string[]; open?: number[] } = {},
) {
  const [file = "", ...args] = [...argv, "guest", "report=4", ...words, "--", ...program];
  const directory = temporary();
  const files = data.map((content, index) => {
    writeFileSync(join(directory, String(index)), content);
    return openSync(join(directory, String(index)), "r");
  });
  try {
    const { status, signal, output } = spawnSync(file, args, {
      env: { PATH: "/usr/bin:/bin", OUTER: "1" },
      stdio: ["pipe", "pipe", "pipe", "ignore", "pipe", ...files, ...open],
      encoding: "utf8",
    });
    const report = (output[4] ?? "")
      .replace(/^up \d+$/m, "up PID")
      .replace(/^(ended \d+)( \d+){9}$/m, "$1 USAGE");
    return { status, signal, out: output[1], err: output[2], report };
  } finally {
    for (const fd of files) closeSync(fd);
  }
}

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-guest-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const sh = (script: string): string[] => ["sh", "-c", script];

describe.skipIf(skip)(`the init inside what another tool has made${why}`, () => {
  it.each([
    ["an exit status", "exit 7", 7 << 8, 7],
    ["an exit status above 128", "exit 137", 137 << 8, 137],
    ["death by a signal", "kill -KILL $$", 9, 137],
    ["death by a real-time signal", "kill -40 $$", 40, 168],
  ])("tells %s as wait(2) does", (_, script, status, exitCode) => {
    expect(guest([], sh(script))).toEqual({
      status: exitCode,
      signal: null,
      out: "",
      err: "",
      report: `up PID\nstarted\nended ${status} USAGE\n`,
    });
  });

  it("tells what the program has used", () => {
    const { output } = spawnSync(
      path,
      ["guest", "report=3", "--", ...sh("i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done")],
      {
        env: { PATH: "/usr/bin:/bin" },
        stdio: ["ignore", "ignore", "inherit", "pipe"],
        encoding: "utf8",
      },
    );
    const numbers =
      /^ended (.*)$/m
        .exec(output[3] ?? "")?.[1]
        ?.split(" ")
        .map(Number) ?? [];
    expect([numbers.length, numbers.every(Number.isInteger), numbers[0]]).toEqual([10, true, 0]);
    expect((numbers[1] ?? 0) + (numbers[2] ?? 0)).toBeGreaterThan(1000);
    expect(numbers[3]).toBeGreaterThan(100);
  });

  it.each([
    ["a program that is not there", [], ["/no/such"], "exec 2"],
    ["a program that is not there by name", [], ["no-such-program"], "exec 2"],
    ["what is no program", [], ["/etc/passwd"], "exec 13"],
    ["a directory", [], ["/etc"], "exec 13"],
    ["a working directory that is none", ["cwd=/etc/passwd"], ["true"], "cwd 20"],
  ])("says that it cannot start %s", (_, words, program, failed) => {
    expect(guest(words, program)).toMatchObject({
      status: 127,
      report: `up PID\nfailed ${failed}\n`,
    });
  });

  it("gives the program the variables that it is told, and no other, in its working directory", () => {
    const variables = ["PATH=/usr/bin:/bin", "a.b=1", "with space=x\ny", "EMPTY="];
    const data = [variables.map((each) => `${each}\0`).join("")];
    const { out } = guest(["variables=5", "cwd=/etc"], ["env", "-0"], { data });
    expect(out).toBe(data[0]);
    expect(guest(["variables=5", "cwd=/etc"], ["pwd"], { data }).out).toBe("/etc\n");
    expect(guest(["variables=5"], ["/usr/bin/env"], { data: [""] }).out).toBe("");
    expect(guest([], sh('echo "$OUTER"')).out).toBe("1\n");
  });

  it.each([
    ["variables without their end", ["variables=5"], "A=1", "failed variables 22"],
    ["a filter that is none", ["filter=5"], "words", "failed filter 22"],
    [
      "a filter that the kernel does not take",
      ["filter=5"],
      Buffer.alloc(8, 0xff),
      "failed seccomp 22",
    ],
    ["an empty filter", ["filter=5"], "", "failed filter 22"],
    ["a profile that is none", ["profile=5"], "words", "failed filter 22"],
    [
      "a profile that the kernel does not take",
      ["profile=5"],
      Buffer.alloc(8, 0xff),
      "up PID\nfailed seccomp 22",
    ],
  ])("refuses %s", (_, words, content, failed) => {
    expect(guest(words, ["true"], { data: [content] }).report).toMatch(new RegExp(`${failed}\n$`));
  });

  it("loads a filter of system calls for the program", () => {
    // Allows everything: BPF_RET, SECCOMP_RET_ALLOW.
    const filter = Buffer.from([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
    const { out } = guest(
      ["filter=5"],
      ["grep", "-E", "^(Seccomp|NoNewPrivs):", "/proc/self/status"],
      { data: [filter] },
    );
    expect(out).toBe("NoNewPrivs:\t1\nSeccomp:\t2\n");
  });

  it("loads a profile for the program alone, which it does not live by itself", () => {
    // Kills for anything but execve(2): BPF_LD of the number, BPF_JEQ, and a BPF_RET for each answer.
    const profile = Buffer.from(
      [
        [0x20, 0, 0, 0, 0, 0, 0, 0],
        [0x15, 0, 0, 1, process.arch === "arm64" ? 221 : 59, 0, 0, 0],
        [6, 0, 0, 0, 0, 0, 0xff, 0x7f],
        [6, 0, 0, 0, 0, 0, 0, 0x80],
      ].flat(),
    );
    const { report } = guest(["profile=5"], ["/usr/bin/true"], { data: [profile] });
    expect(report).toMatch(/^up PID\nstarted\nended (31|159) USAGE\n$/);
  });

  it("gives the program the fds 0 to 2, whatever was open, and starts it in a session of its own", () => {
    const fd = openSync("/", "r");
    try {
      const list =
        'for fd in /proc/$$/fd/*; do [ -L "$fd" ] && echo ${fd##*/}; done; set -- $(cat /proc/$$/stat); [ "$6" = $$ ]';
      const many = Array.from({ length: 30 }, () => fd);
      expect(guest([], sh(list), { open: many })).toMatchObject({ status: 0, out: "0\n1\n2\n" });
    } finally {
      closeSync(fd);
    }
  });

  it.each([
    [[]],
    [["report=x"]],
    [["report=-1"]],
    [["report=1"]],
    [["report=77"]],
    [["report=/no/such/file"]],
    [["report=3", "word"]],
    [["report=3", "report=3"]],
    [["report=3", "cwd=relative"]],
    [["report=3", "filter=99"]],
    [["report=3", "command=3"]],
    [["report=3", "user=1:1"]],
    [["report=3", "root=relative"]],
    [["report=3", "streams=x"]],
    [["report=3", "streams=40"]],
  ])("refuses the words %j", (words) => {
    const { status, stderr } = spawnSync(path, ["guest", ...words, "--", "true"], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([1, "guest: errno 22\n"]);
  });

  it("takes the program's words and standard streams from fds", () => {
    const out = join(temporary(), "out");
    const fd = openSync(out, "w+");
    try {
      // The report is fd 4, the words fd 5, and the streams 6 to 8.
      const words = ["sh", "-c", 'echo "$1"; echo error >&2', "sh", "two words"];
      const data = [words.map((word) => `${word}\0`).join("")];
      const open = [fd, fd, fd];
      expect(guest(["command=5", "streams=6"], [], { data, open })).toMatchObject({
        status: 0,
        out: "",
      });
      expect(readFileSync(out, "utf8")).toBe("two words\nerror\n");
    } finally {
      closeSync(fd);
    }
  });

  it("refuses a command without a word", () => {
    expect(guest(["command=5"], [], { data: [""] }).report).toBe("failed command 22\n");
  });

  it("sets limits for the program alone, or says that it cannot", () => {
    const limits = ["rlimit=7:50:60", "rlimit=0:10:11"];
    expect(guest(limits, sh("ulimit -Sn; ulimit -Hn; ulimit -St")).out).toBe("50\n60\n10\n");
    expect(guest(["rlimit=7:2:1"], ["true"]).report).toBe("up PID\nfailed rlimit 22\n");
    expect(guest(["rlimit=7:2"], ["true"]).report).toBe("up PID\nfailed rlimit 22\n");
  });

  it.skipIf(noPids !== "")("enters a root with ids of its own, links and no capability", () => {
    const root = temporary();
    for (const name of ["dev", "proc"]) mkdirSync(join(root, name));
    const mounts = 'mount --rbind / "$1" && mount -t tmpfs tmpfs "$1/dev" && shift && exec "$@"';
    const argv = [...unshare, "--mount", "sh", "-c", mounts, "sh", root, path];
    const show = `id -u; id -g; readlink /dev/stdin /dev/ptmx; grep -c "^Cap.*:.0*$" /proc/self/status
      unshare -U true 2>&1 || echo refused; [ -e ${root}/etc ] && echo mounted`;
    const words = [`root=${root}`, "user=12:34", "dev=/dev"];
    const { out, report } = guest(words, sh(show), { argv });
    expect(report).toMatch(/^ended 256 /m);
    expect(out?.split("\n").filter((line) => !line.startsWith("unshare"))).toEqual([
      "12",
      "34",
      "/proc/self/fd/0",
      "pts/ptmx",
      "5",
      "refused",
      "",
    ]);
  });

  it("reports to a file by its path, as a container engine hands on no fd", () => {
    const report = join(temporary(), "report");
    writeFileSync(report, "");
    const { status } = spawnSync(path, ["guest", `report=${report}`, "--", ...sh("exit 3")]);
    expect(status).toBe(3);
    expect(readFileSync(report, "utf8")).toMatch(/^up \d+\nstarted\nended 768( \d+){9}\n$/);
  });

  it.each(["SIGTERM", "SIGUSR1", "SIGINT"] as const)(
    "hands %s on to the program",
    async (signal) => {
      const child = start([path]);
      await started(child);
      child.kill(signal);
      expect(await once(child, "exit")).toEqual([0, null]);
    },
  );

  it("ends the program when the lifeline breaks", () => breakLifeline([]));

  it.skipIf(noPids !== "")("ends everything when the lifeline breaks, as pid 1", () =>
    breakLifeline(unshare),
  );

  it.skipIf(noPids !== "")(
    "as pid 1 ends everything that the program has left, before it says so",
    () => {
      const script = "trap '' TERM; (setsid sleep 1000 &) ; sleep 1000 & exit 5";
      const { status, report } = guest([], sh(script), { argv: [...unshare, path] });
      expect([status, report]).toEqual([5, "up PID\nstarted\nended 1280 USAGE\n"]);
    },
  );
});

async function breakLifeline(before: readonly string[]): Promise<void> {
  const child = start([...before, path]);
  const pid = await started(child);
  (child.stdio[4] as Writable).end();
  await once(child, "exit");
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
}

/** A program that waits for a signal, in a guest with the report on fd 3 and the lifeline on fd 4. */
function start(argv: readonly string[]): ChildProcess {
  const script =
    "for s in TERM USR1 INT; do trap 'exit 0' $s; done; read -r pid rest < /proc/self/stat; echo $pid; while :; do sleep 0.01; done";
  const [file = "", ...args] = [...argv, "guest", "report=3", "lifeline=4", "--", ...sh(script)];
  return spawn(file, args, { stdio: ["ignore", "pipe", "inherit", "pipe", "pipe"] });
}

/** The pid of its program, once that is ready. */
async function started(child: ChildProcess): Promise<number> {
  const [line] = (await once(child.stdout ?? child, "data")) as [Buffer];
  return Number(line.toString());
}
