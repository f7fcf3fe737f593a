import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { describeWith } from "./support/backend.js";
import { type Ran, runSandbox, sandboxlib } from "./support/cli.js";
import { scratch } from "./support/scratch.js";

/** Runs in a directory of its own and makes sure that neither it nor the mounts in it have changed. */
async function refused(args: readonly string[], cwd = scratch()): Promise<Ran> {
  const mounts = () => readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const state = () => [readdirSync(cwd), mounts().filter((line) => line.includes(cwd))];
  const before = state();
  const ran = await runSandbox([...args, "--", "sh", "-c", "touch ran"], { cwd });
  expect(state()).toEqual(before);
  expect(ran.stdout).toBe("");
  expect(ran.stderr).toMatch(/^sandboxlib: .*\n(hint: .*\n)?$/);
  return ran;
}

/** The default tmpfs covers it. */
const HIDDEN = mkdtempSync("/tmp/sandboxlib-hidden-");
afterAll(() => rmSync(HIDDEN, { recursive: true }));

function firstLine({ stderr }: Ran): string | undefined {
  return stderr.split("\n")[0];
}

test.each([
  [["--writable", "../build"], 'writable[0]: "../build" must be an absolute path'],
  [["--hide", "/a/../b"], 'hidden[0]: "/a/../b" must not contain `..` (--hide /a/../b)'],
  [["--cwd", "here"], 'cwd: "here" must be an absolute path (--cwd here)'],
  [["--tmpfs", "t"], 'mounts[0].target: "t" must be an absolute path (--tmpfs t)'],
  [["--network", "lan"], 'network: "lan" must be "none" or "host" (--network lan)'],
  [["--env", "PWD=/x"], 'env: "PWD" names PWD, which always is `cwd`: set `cwd` instead'],
  [["--isolate", "none", "--hostname", "x"], /^sandboxlib: hostname: .* \(--hostname x\)$/],
  [["--stop-grace", "0"], /^sandboxlib: stop\.grace: .* \(--stop-grace 0\)$/],
  [["--stop-signal", "TERM"], "--stop-signal: is for --stop-grace, which is missing"],
  [["--open-files", "1.5"], '--open-files: "1.5" is not a whole number'],
  [["--metadata-service", "/usr"], '--metadata-service: image: "/usr" is no App Container image'],
  [
    ["--stop-signal", "KILL", "--stop-grace", "1"],
    /^sandboxlib: stop\.signal: .* \(--stop-signal KILL\)$/,
  ],
  [["--timeout", "0"], /^sandboxlib: limits\.wallTime: .* \(--timeout 0\)$/],
  [["--hostname", "\u001b[31mred\u0007"], /^sandboxlib: hostname: "\\u001b\[31mred/],
  [["--frobnicate\u001b[2J"], "--frobnicate\\x1b[2J: unknown option."],
  [["--config", "missing.json"], '--config: "missing.json" cannot be read: it does not exist'],
  [["--config", "."], '--config: "." cannot be read: it is a directory'],
  [["--config", "/dev/zero"], '--config: "/dev/zero" cannot be read: it is longer than a mebibyte'],
  [
    ["--prefer", "network.non"],
    '--prefer: "network.non" is no capability. Did you mean network.none?',
  ],
  [["--prefer", "root"], /^sandboxlib: --prefer: root cannot be let go/],
  [
    ["--config", "a.json", "--config", "b.json"],
    '--config: is there a second time, after "a.json"',
  ],
  [["--quiet", "--verbose"], "--quiet: does not go with --verbose"],
  [["--result-file", "/dev/null"], '--result-file: "/dev/null" is not a regular file'],
  [
    ["--result-file", "no/such/r.json"],
    '--result-file: "no/such/r.json" cannot be written: ENOENT',
  ],
])("%j is wrong usage: exit code 2 and one line that names it", async (args, message) => {
  const ran = await refused(args);
  expect(ran.exitCode).toBe(2);
  if (typeof message === "string") expect(firstLine(ran)).toContain(message);
  else expect(firstLine(ran)).toMatch(message);
  expect(ran.stderr).not.toContain("\u001b");
});

test.each([
  ['{"netwrok": "host"}', "netwrok: unknown key"],
  ['{"cwd": "/a\\u0000b"}', 'cwd: "/a\\u0000b" contains a NUL byte'],
  ['{"mounts": [{"type": "bind", "target": "/x"}]}', "mounts[0].source: is missing"],
  ['{"root": 7}', "root: 7 must be a string"],
  ["{", "is not JSON: close brace expected at line 1, column 2"],
  ['{"cwd": "/", // no', "is not JSON: invalid comment token at line 1, column 14"],
  ['{"cwd": "/",}', "is not JSON: property name expected at line 1, column 13"],
  ['{"a":'.repeat(100_000), "it is nested too deeply"],
  [
    '{"cwd": "/",\n  "limits": {"cpuTime": 1, "cpuTime": 2}}',
    'the key "cpuTime" is there twice: at line 2, column 14, and at line 2, column 28',
  ],
  ['{"hidden": ["/a"], "hid\\u0064en": []}', 'the key "hidden" is there twice: at line 1'],
  ["[]", "config:"],
])(
  "the config %s is wrong usage: exit code 2 and one line that names field and file",
  async (text, message) => {
    const directory = scratch();
    writeFileSync(join(directory, "c.json"), text);
    const ran = await refused(["--config", "c.json"], directory);
    expect(ran.exitCode).toBe(2);
    expect(firstLine(ran)).toContain(message);
    expect(firstLine(ran)).toContain("c.json");
  },
);

test.each([
  [["--frobnicate"], "See `sandboxlib run --help`."],
  [["--swap", "1m"], "Set --memory, or leave `swap` out."],
  [["--isolate", "none", "--hostname", "x"], "Add `uts` to --isolate, or leave --hostname out."],
  [["--network", "lan"], "`sandboxlib schema` has every field."],
  [
    ["--cwd", HIDDEN],
    "Make it visible with a bind mount or --writable, or leave the default mounts (--no-default-mounts) out.",
  ],
  [
    ["--tmpfs", "/usr", "--cwd", "/usr/bin"],
    "Make it visible with a bind mount or --writable, or leave --tmpfs /usr out.",
  ],
])("the hint for %j speaks of options", async (args, hint) => {
  const ran = await refused(args);
  expect(ran.stderr.split("\n")[1]).toBe(`hint: ${hint}`);
});

test("an image that is not there is named, and not the command that it would have had", async () => {
  const { exitCode, stderr } = await runSandbox(["hello.aci"], { cwd: "/" });
  expect([exitCode, stderr]).toEqual([
    125,
    'sandboxlib: root: "/hello.aci" does not exist, or cannot be reached (ROOT hello.aci)\n',
  ]);
});

test("an empty file is no root", async () => {
  const directory = scratch();
  writeFileSync(join(directory, "empty"), "");
  const ran = await refused(["empty"], directory);
  expect([ran.exitCode, firstLine(ran)]).toEqual([
    125,
    `sandboxlib: "${directory}/empty" is an empty file, and neither a directory nor an image`,
  ]);
});

test.each([
  [["--config", "c.json", "--result-file", "c.json"], "--result-file", "c.json", "--config"],
  [["--config", "soft", "--meta", "c.json"], "--meta", "c.json", "--config"],
  [["--env-file", "env", "--result-file", "./env"], "--result-file", "./env", "--env-file"],
  [["--seccomp", "./c.json", "--result-file", "c.json"], "--result-file", "c.json", "--seccomp"],
  [["--pod", "c.json", "--result-file", "hard"], "--result-file", "hard", "--pod"],
  [["--root", "env", "--result-file", "env"], "--result-file", "env", "--root"],
  [["--meta", "env", "env"], "--meta", "env", "ROOT"],
  [["--meta", "new", "--result-file", "./new"], "--meta", "new", "--result-file"],
])("%j: nothing that is read is replaced, and no file is written twice", async (args, ...told) => {
  const directory = scratch();
  writeFileSync(join(directory, "c.json"), '{"cwd": "/"}');
  writeFileSync(join(directory, "env"), "A=b\n");
  linkSync(join(directory, "c.json"), join(directory, "hard"));
  symlinkSync("c.json", join(directory, "soft"));
  const [option, path, other] = told;
  expect(await refused(args, directory)).toMatchObject({
    exitCode: 2,
    stderr: `sandboxlib: ${option}: "${path}" is the file of ${other}, too\nhint: Choose another name: the file would be replaced.\n`,
  });
  expect(readFileSync(join(directory, "c.json"), "utf8")).toBe('{"cwd": "/"}');
  expect(readFileSync(join(directory, "env"), "utf8")).toBe("A=b\n");
});

test("a plan is not written over the config that it is made of", async () => {
  const directory = scratch();
  writeFileSync(join(directory, "c.json"), '{"cwd": "/"}');
  const args = ["plan", "--config", "c.json", "-o", "c.json", "--", "true"];
  const { exitCode, stderr } = await sandboxlib(args, { cwd: directory });
  expect([exitCode, stderr.split("\n")[0]]).toEqual([
    2,
    'sandboxlib: --output: "c.json" is the file of --config, too',
  ]);
  expect(readFileSync(join(directory, "c.json"), "utf8")).toBe('{"cwd": "/"}');
});

await describeWith("namespaces", "what only the start of a run can tell", () => {
  const options = ["--backend", "namespaces", "--cwd", "/"];

  test("a program for another machine is named with both", async () => {
    const directory = scratch();
    const head = readFileSync(process.execPath).subarray(0, 4096);
    head.writeUInt16LE(process.arch === "x64" ? 183 : 62, 18);
    writeFileSync(join(directory, "other"), head, { mode: 0o755 });
    const args = [...options, "--bind", directory, "--", join(directory, "other")];
    const { exitCode, stderr } = await runSandbox(args);
    const [its, ours] = process.arch === "x64" ? ["aarch64", "x86_64"] : ["x86_64", "aarch64"];
    expect([exitCode, stderr]).toEqual([
      126,
      `sandboxlib: command: "${directory}/other" is a program for ${its}, and this machine is ${ours} (exec format error)\nhint: Use a build of it for this machine, or register an emulator (binfmt_misc).\n`,
    ]);
  });

  test("a word that the kernel does not take is too long", async () => {
    // Longer than a command line may have here: the shell cannot start us with it either, so the environment has it.
    const directory = scratch();
    const env = `A=${"x".repeat(200_000)}\n`;
    writeFileSync(join(directory, "vars"), env);
    const { exitCode, stderr } = await runSandbox(
      [...options, "--env-file", "vars", "--", "true"],
      { cwd: directory },
    );
    expect([exitCode, stderr]).toEqual([
      125,
      'sandboxlib: command: "true" cannot be started: its arguments and its environment are too long (E2BIG)\nhint: Shorten the command or the environment, or hand the words over in a file: the kernel takes 128 KiB a word, 2 MiB in all.\n',
    ]);
  });
});

test("what is the same key in two objects of a config is no mistake", async () => {
  const directory = scratch();
  const mounts = ["/a", "/b"].map((target) => ({ type: "proc", target }));
  writeFileSync(join(directory, "c.json"), JSON.stringify({ mounts, cwd: "/" }));
  const ran = await refused(["--config", "c.json", "--tmpfs", "no"], directory);
  expect(firstLine(ran)).toContain('mounts[2].target: "no" must be an absolute path');
});

test("without a command the exit code is 2", async () => {
  const { exitCode, stderr } = await runSandbox(["--network", "host"]);
  expect([exitCode, stderr.split("\n")[0]]).toEqual([
    2,
    "sandboxlib: COMMAND: there is none to run",
  ]);
});

test("a backend that is not installed fails with exit code 125", async () => {
  const ran = await refused(["--backend", "nonesuch"]);
  expect([ran.exitCode, firstLine(ran)]).toEqual([
    125,
    'sandboxlib: no backend "nonesuch" is installed',
  ]);
});

test("a device is never replaced by a result file", async () => {
  await refused(["--result-file", "/dev/null"]);
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
});

await describeWith("bubblewrap", "what only the host can tell", () => {
  test.each([
    [
      ["/no/such/root"],
      'root: "/no/such/root" does not exist, or cannot be reached (ROOT /no/such/root)',
    ],
    [["/etc/passwd"], '"/etc/passwd": it is neither a directory nor an image'],
    [["--cwd", "/tmp/no-such"], 'cwd: "/tmp/no-such" does not exist (--cwd /tmp/no-such)'],
    [["--writable", "/no/such"], 'writable[0]: "/no/such" does not exist (--writable /no/such)'],
    [["--cwd", "/no/such"], 'cwd: "/no/such" does not exist (--cwd /no/such)'],
    [["--bind", "/no/such"], 'mounts[0].source: "/no/such" does not exist on the host'],
    [
      ["--tmpfs", "/etc/passwd"],
      'mounts[0].target: "/etc/passwd" is a file, and a directory is to be mounted',
    ],
    [
      ["--proc", "/no/such"],
      'mounts[0].target: "/no/such" does not exist in the root / (--proc /no/such)',
    ],
  ])(
    "%j fails with exit code 125 and one line that names field and option",
    async (args, message) => {
      const ran = await refused(["--backend", "bubblewrap", ...args]);
      expect(ran.exitCode).toBe(125);
      expect(firstLine(ran)).toContain(message);
    },
  );

  test("a root without mount points for the default mounts is left as it is", async () => {
    const root = scratch();
    mkdirSync(join(root, "bin"));
    const ran = await refused(["--backend", "bubblewrap", root]);
    expect(firstLine(ran)).toContain('mounts[0].target: "/proc" does not exist in the root');
    expect(readdirSync(root)).toEqual(["bin"]);
  });
});
