import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ABIS, ABIS_OF, type AbiName, callsOf } from "../src/abi.js";
import { compileSeccomp, SECCOMP_PROFILES, type SeccompProfileName } from "../src/index.js";
import { assembleNamed, type FilterName } from "../src/named.js";
import { interpret } from "./interpreter.js";
import { noKernel, runUnder } from "./kernel.js";

const errno = (number: number): number => 0x0005_0000 + number;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [errno(1), errno(38), errno(97)];
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const O_CREAT = 0o100n;
const O_TMPFILE = 0o20_200_000n;

/** What the default profile says; an ABI that lacks the call is left out. */
const DEFAULT: readonly (readonly [string, readonly bigint[], number])[] = [
  ["read", [], ALLOW],
  ["ioctl", [0n, 0x5401n], ALLOW],
  ["ioctl", [0n, 0x5412n], EPERM],
  ["ioctl", [0n, 0xffff_ffff_0000_5412n], EPERM],
  ["ioctl", [0n, 0x541cn], EPERM],
  ["ioctl", [0n, 0x540en], ALLOW],
  ["clone", [0x11n], ALLOW],
  ["clone", [0x3d_0f00n], ALLOW],
  ["clone", [0x1000_0011n], EPERM],
  ["clone", [0x0002_0011n], EPERM],
  ["clone3", [], ENOSYS],
  ["unshare", [0x200n], ALLOW],
  ["unshare", [0x80n], EPERM],
  ["unshare", [0x4000_0000n], EPERM],
  ["setns", [], EPERM],
  ["mount", [], EPERM],
  ["open_tree", [], EPERM],
  ["chroot", [], EPERM],
  ["socket", [1n, 1n], ALLOW],
  ["socket", [2n], ALLOW],
  ["socket", [10n], ALLOW],
  ["socket", [16n], ALLOW],
  ["socket", [17n], EAFNOSUPPORT],
  ["socket", [38n], EAFNOSUPPORT],
  ["socket", [0x1_0000_0028n], EAFNOSUPPORT],
  ["socketpair", [1n], ALLOW],
  ["socketpair", [40n], EAFNOSUPPORT],
  ["fchmod", [3n, 0o755n], ALLOW],
  ["fchmod", [3n, 0o4755n], EPERM],
  ["fchmod", [3n, 0x1_0000n | 0o2755n], EPERM],
  ["fchmodat", [0n, 0n, 0o2755n], EPERM],
  ["fchmodat2", [0n, 0n, 0o4000n], EPERM],
  ["chmod", [0n, 0o1777n], ALLOW],
  ["openat", [0n, 0n, O_CREAT, 0o644n], ALLOW],
  ["openat", [0n, 0n, O_CREAT, 0o4755n], EPERM],
  ["openat", [0n, 0n, O_TMPFILE, 0o6755n], EPERM],
  ["openat", [0n, 0n, 0n, 0xffff_ffffn], ALLOW],
  ["openat2", [], ENOSYS],
  ["mknodat", [0n, 0n, 0o104_755n], EPERM],
  ["mknodat", [0n, 0n, 0o010_644n], ALLOW],
  ["io_uring_setup", [], ENOSYS],
  ["keyctl", [], ENOSYS],
  ["bpf", [], EPERM],
  ["ptrace", [0n, 5n], EPERM],
  ["process_vm_readv", [5n], EPERM],
  ["pidfd_open", [1n], EPERM],
  ["pidfd_open", [5n], ALLOW],
  ["prlimit64", [1n], EPERM],
  ["prlimit64", [0n], ALLOW],
  ["personality", [0xffff_ffffn], ALLOW],
  ["personality", [0x4_0000n], EPERM],
  ["seccomp", [], ALLOW],
  ["landlock_create_ruleset", [], ALLOW],
  ["memfd_create", [], ALLOW],
  ["restart_syscall", [], ALLOW],
];

/** What they say otherwise where user namespaces are allowed. Everything else of {@link DEFAULT} stays. */
const NESTING: typeof DEFAULT = [
  ["clone", [0x7c02_0011n], ALLOW],
  ["clone", [0x7e02_0011n], EPERM],
  ["clone", [0xffff_ffff_1000_0011n], ALLOW],
  ["unshare", [0x7c02_0000n], ALLOW],
  ["unshare", [0x1200_0000n], EPERM],
  ["unshare", [0x1000_0080n], EPERM],
  ["clone3", [], ENOSYS],
  ["mount", [], ALLOW],
  ["umount2", [], ALLOW],
  ["pivot_root", [], ALLOW],
  ["chroot", [], ALLOW],
  ["sethostname", [], ALLOW],
  ["setdomainname", [], EPERM],
  ["setns", [], EPERM],
  ...["fsconfig", "fsmount", "fsopen", "fspick", "mount_setattr", "move_mount", "open_tree"].map(
    (call) => [call, [], ENOSYS] as const,
  ),
];

function verdicts(profile: FilterName | SeccompProfileName, arch: string, calls: typeof DEFAULT) {
  const [abi] = ABIS_OF[arch] ?? [];
  if (abi === undefined) throw new Error(`no ABI of ${arch}`);
  const filter = Object.hasOwn(SECCOMP_PROFILES, profile)
    ? compileSeccomp(profile as SeccompProfileName, { arch }).filter
    : assembleNamed(profile as FilterName, arch);
  const numbers = new Map(callsOf(abi).map(({ name, number }) => [name, number]));
  return calls.flatMap(([name, args, verdict]) => {
    const number = numbers.get(name);
    if (number === undefined) return [];
    const found = interpret(filter, { number, audit: ABIS[abi].audit, args }).verdict;
    return [{ name, args, verdict, found }];
  });
}

describe("named profiles", () => {
  it.each(Object.keys(ABIS_OF))("the default one says the same on %s", (arch) => {
    const asked = verdicts("default", arch, DEFAULT);
    expect(asked.map(({ name, args, found }) => [name, args, found])).toEqual(
      asked.map(({ name, args, verdict }) => [name, args, verdict]),
    );
    expect(asked.length).toBeGreaterThan(45);
  });

  it.each(Object.keys(ABIS_OF))("with user namespaces opens what they take on %s alone", (arch) => {
    for (const name of ["default", "build"] as const) {
      const widened = new Set(NESTING.map(([call]) => call));
      const kept = verdicts(
        name,
        arch,
        DEFAULT.filter(([call]) => !widened.has(call)),
      ).map(({ name: call, args, found }) => [call, args, found] as const);
      const asked = verdicts(`${name}+user-namespaces`, arch, [...NESTING, ...kept]);
      expect(asked.map(({ name: call, args, found }) => [call, args, found])).toEqual(
        asked.map(({ name: call, args, verdict }) => [call, args, verdict]),
      );
      expect(asked.length).toBeGreaterThan(45);
    }
  });

  it("every other ABI ends the process", () => {
    const { filter } = compileSeccomp("default", { arch: "x64" });
    const others = (["i386", "arm", "aarch64"] as AbiName[]).map((abi) => ABIS[abi].audit);
    expect(others.map((audit) => interpret(filter, { number: 1, audit }).verdict)).toEqual(
      others.map(() => KILL_PROCESS),
    );
  });

  it("for builds allows debuggers, and none of them to reach into pid 1", () => {
    const asked = verdicts("build", "x64", [
      ["ptrace", [0x10n, 5n], ALLOW],
      ["ptrace", [0x10n, 1n], EPERM],
      ["ptrace", [0x10n, 0x1_0000_0001n], EPERM],
      ["process_vm_writev", [5n], ALLOW],
      ["process_vm_writev", [1n], EPERM],
      ["kcmp", [5n, 1n], EPERM],
      ["personality", [0x4_0000n], ALLOW],
      ["fchmod", [3n, 0o4755n], EPERM],
      ["mount", [], EPERM],
    ]);
    expect(asked.map(({ found }) => found)).toEqual(asked.map(({ verdict }) => verdict));
  });

  it("a name that is none is refused with those that there are", () => {
    expect(() => compileSeccomp("defualt" as "default")).toThrow(
      expect.objectContaining({
        name: "SeccompError",
        message: 'there is no seccomp profile "defualt"',
        hint: "There are default, build, strict, none.",
      }),
    );
    expect(() => compileSeccomp("default", { arch: "mips" })).toThrow(
      "arch: there is no table of system calls for mips",
    );
    expect(compileSeccomp("none").filter).toHaveLength(0);
    expect(Object.keys(SECCOMP_PROFILES)).toEqual(["default", "build", "strict", "none"]);
  });
});

const skipped = noKernel === undefined ? "" : ` (${noKernel})`;
const HELLO = `#include <stdio.h>
#include <pthread.h>
static void *greet(void *name) { printf("hello, %s\\n", (char *)name); return NULL; }
int main(void) { pthread_t one; pthread_create(&one, NULL, greet, "world"); return pthread_join(one, NULL); }`;

describe.skipIf(noKernel !== undefined)(`real programs under the default profile${skipped}`, () => {
  let directory: string;
  const { filter } = compileSeccomp("default");

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "seccomp-programs-"));
    writeFileSync(join(directory, "hello.c"), HELLO);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const python = `import multiprocessing as m
def double(n): return 2 * n
if __name__ == "__main__":
    print(m.Pool(2).map(double, [1, 2, 3]))`;
  const programs: [string, string, string[], string][] = [
    ["bash", "/bin/bash", ["bash", "-c", "echo $(seq 3 | wc -l) & wait"], "3\n"],
    [
      "node",
      process.execPath,
      [
        process.execPath,
        "-e",
        "new (require('worker_threads').Worker)('console.log(require(`os`).networkInterfaces().lo !== undefined)',{eval:true})",
      ],
      "true\n",
    ],
    [
      "python with multiprocessing",
      "/usr/bin/python3",
      ["/usr/bin/python3", "-c", python],
      "[2, 4, 6]\n",
    ],
    [
      "git",
      "/usr/bin/git",
      [
        "sh",
        "-c",
        "git init -q r && cd r && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log --format=%s",
      ],
      "x\n",
    ],
    [
      "gcc, and what it makes",
      "/usr/bin/cc",
      ["sh", "-c", "cc -pthread hello.c -o hello && ./hello"],
      "hello, world\n",
    ],
    [
      "tar",
      "/usr/bin/tar",
      ["sh", "-c", "tar -cf a.tar hello.c && mkdir -p x && tar -xf a.tar -C x && ls x"],
      "hello.c\n",
    ],
  ];
  for (const [title, program, argv, stdout] of programs) {
    const isThere = existsSync(program);
    it.skipIf(!isThere)(isThere ? title : `${title} (${program} is not installed)`, () => {
      const command = ["sh", "-c", 'cd "$0" && exec "$@"', directory, ...argv];
      expect(runUnder(filter, command)).toMatchObject({ status: 0, stdout, stderr: "" });
    });
  }

  it("no file becomes set-id, by whatever call", () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    chmodSync(file, 0o755);
    const script = `import os, sys
for set_id in (lambda: os.chmod(sys.argv[1], 0o4755), lambda: os.open(sys.argv[1] + "2", os.O_CREAT, 0o6755), lambda: os.mknod(sys.argv[1] + "3", 0o104755)):
    try:
        set_id(); print("made")
    except PermissionError as error:
        print(error.errno)`;
    const { stdout } = runUnder(filter, ["/usr/bin/python3", "-c", script, file]);
    expect(stdout).toBe("1\n1\n1\n");
    expect(statSync(file).mode & 0o7777).toBe(0o755);
    expect([`${file}2`, `${file}3`].filter((path) => existsSync(path))).toEqual([]);
  });
});

describe.skipIf(noKernel !== undefined || process.arch !== "x64")(
  `the strict profile${skipped}`,
  () => {
    it("lets a program read, write and end, and nothing else", () => {
      const directory = mkdtempSync(join(tmpdir(), "seccomp-strict-"));
      try {
        const source = `__attribute__((naked)) void _start(void) { __asm__(
          "mov $1,%eax\\n mov $1,%edi\\n lea text(%rip),%rsi\\n mov $3,%edx\\n syscall\\n"
          "CALL mov $60,%eax\\n mov $7,%edi\\n syscall\\n text: .ascii \\"ok\\\\n\\""); }`;
        const build = (name: string, call: string): string => {
          writeFileSync(join(directory, `${name}.c`), source.replace("CALL", call));
          execFileSync("cc", ["-nostdlib", "-static", "-o", name, `${name}.c`], { cwd: directory });
          return join(directory, name);
        };
        const { filter } = compileSeccomp("strict");
        expect(runUnder(filter, [build("ends", "")])).toMatchObject({ status: 7, stdout: "ok\n" });
        const asks = build("asks", "mov $39,%eax\\n syscall\\n");
        expect(runUnder(filter, [asks])).toMatchObject({
          status: null,
          stdout: "ok\n",
          signal: "SIGSYS",
        });
        expect(readFileSync(asks).length).toBeGreaterThan(0);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  },
);
