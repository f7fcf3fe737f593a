import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConfigInput, NAMESPACES, parseConfig } from "@sandboxlib/core";
import { describe, expect, test } from "vitest";
import { readCommandLine } from "../src/command-line.js";
import { chosenUser, configFromOptions, withUserIds } from "../src/config-from-options.js";
import { scratch } from "./support/scratch.js";

const DEFAULTS = parseConfig({});

function configOf(...args: string[]): ConfigInput {
  const line = readCommandLine("run", args);
  if (line.problem !== undefined) throw line.problem;
  return configFromOptions(line, {}).config;
}

function withFile(config: ConfigInput, ...args: string[]): ConfigInput {
  return configFromOptions(readCommandLine("run", args), config).config;
}

describe("each option sets its field", () => {
  test.each<{ args: string[]; config: ConfigInput }>([
    { args: [], config: {} },
    { args: ["--", "ls", "-l"], config: { command: ["ls", "-l"] } },
    { args: ["/srv", "ls"], config: { root: "/srv", command: ["ls"] } },
    { args: ["--root", "/srv"], config: { root: "/srv" } },
    { args: ["--writable", "/a", "--writable", "/b"], config: { writable: ["/a", "/b"] } },
    { args: ["--writable", "/a", "--writable", "all"], config: { writable: "all" } },
    { args: ["--hide", "/a", "--hide", "/b"], config: { hidden: ["/a", "/b"] } },
    { args: ["--cwd", "/a", "--cwd", "/b"], config: { cwd: "/b" } },
    { args: ["--inherit-env", "A"], config: { inheritEnv: ["A"] } },
    { args: ["--network", "host"], config: { network: "host" } },
    { args: ["--isolate", "all"], config: { isolate: NAMESPACES } },
    { args: ["--isolate", "none"], config: { isolate: [] } },
    { args: ["--isolate", "pid,ipc"], config: { isolate: ["pid", "ipc"] } },
    { args: ["--uid", "1", "--gid", "2"], config: { user: { uid: 1, gid: 2 } } },
    { args: ["--seccomp", "build"], config: { seccomp: "build" } },
    {
      args: ["--allow", "user-namespaces", "--cwd", "/a"],
      config: { allow: ["user-namespaces"], cwd: "/a" },
    },
    { args: ["--hostname", "box"], config: { hostname: "box" } },
    { args: ["--timeout", "0.5"], config: { limits: { wallTime: 0.5 } } },
    { args: ["--timeout", "10s"], config: { limits: { wallTime: 10 } } },
    { args: ["--timeout", "250ms"], config: { limits: { wallTime: 0.25 } } },
    { args: ["--timeout", "1.5m"], config: { limits: { wallTime: 90 } } },
    { args: ["--timeout", "1h"], config: { limits: { wallTime: 3600 } } },
    { args: ["--memory", "1g"], config: { limits: { memory: 2 ** 30 } } },
    { args: ["--writable", "."], config: { writable: [process.cwd()] } },
    {
      args: ["--writable", "./a", "--hide", "b", "--cwd", "/c"],
      config: { writable: ["/c/a"], hidden: ["/c/b"], cwd: "/c" },
    },
    { args: ["--writable", "a", "/srv"], config: { writable: ["/a"], root: "/srv" } },
    { args: ["--writable", "../a"], config: { writable: ["../a"] } },
    { args: ["--cpu-time", "1.5"], config: { limits: { cpuTime: 1.5 } } },
    { args: ["--address-space", "2G"], config: { limits: { addressSpace: 2 ** 31 } } },
    { args: ["--file-size", "10k"], config: { limits: { fileSize: 10_240 } } },
    { args: ["--open-files", "64"], config: { limits: { openFiles: 64 } } },
    { args: ["--stack", "8m"], config: { limits: { stack: 2 ** 23 } } },
    { args: ["--core-size", "0"], config: { limits: { coreSize: 0 } } },
    { args: ["--stop-grace", "2.5"], config: { stop: { grace: 2.5 } } },
    {
      args: ["--stop-signal", "INT", "--stop-grace", "1"],
      config: { stop: { signal: "SIGINT", grace: 1 } },
    },
    { args: ["--no-default-mounts"], config: { mounts: [] } },
  ])("$args", ({ args, config }) => {
    expect(configOf(...args)).toEqual(config);
  });

  test("--env adds to the default environment and splits at the first `=`", () => {
    expect(configOf("--env", "A=1=2", "--env", "B=")).toEqual({
      env: { ...DEFAULTS.env, A: "1=2", B: "" },
    });
  });

  test("one of --uid and --gid leaves the other the caller's", () => {
    expect(configOf("--uid", "7")).toEqual({ user: { uid: 7, gid: process.getgid?.() } });
  });
});

describe("mounts", () => {
  const added = (...args: string[]) => configOf("--no-default-mounts", ...args).mounts;

  test.each([
    { text: "/a", source: "/a", target: "/a", readOnly: false },
    { text: "/a:/b", source: "/a", target: "/b", readOnly: false },
    { text: "/a:/b:ro", source: "/a", target: "/b", readOnly: true },
    { text: "/a:/b:rw", source: "/a", target: "/b", readOnly: false },
    { text: "/a::ro", source: "/a", target: "/a", readOnly: true },
    { text: "/a\\:b:/c\\:d", source: "/a:b", target: "/c:d", readOnly: false },
  ])("--bind $text", ({ text, ...bind }) => {
    expect(added("--bind", text)).toEqual([{ type: "bind", ...bind }]);
  });

  test.each([
    ["/t", { type: "tmpfs", target: "/t" }],
    ["/t:64m", { type: "tmpfs", target: "/t", size: 64 * 1024 * 1024 }],
    ["/t:3K", { type: "tmpfs", target: "/t", size: 3072 }],
    ["/t:2g", { type: "tmpfs", target: "/t", size: 2 * 1024 ** 3 }],
    ["/t:100", { type: "tmpfs", target: "/t", size: 100 }],
  ])("--tmpfs %s", (text, mount) => {
    expect(added("--tmpfs", text)).toEqual([mount]);
  });

  test("mounts of options are added to the default ones", () => {
    const config = configOf("--bind", "/a", "--proc", "/p", "--dev", "/d");
    expect(parseConfig(config).mounts).toEqual([
      { type: "bind", source: "/a", target: "/a", readOnly: false },
      { type: "proc", target: "/p" },
      { type: "dev", target: "/d" },
      ...DEFAULTS.mounts,
    ]);
  });

  test("a mount takes the place of a default one with the same target", () => {
    const { mounts } = parseConfig(configOf("--bind", "/host:/tmp/"));
    expect(mounts.filter(({ target }) => target.startsWith("/tmp"))).toEqual([
      { type: "bind", source: "/host", target: "/tmp", readOnly: false },
    ]);
    expect(mounts).toHaveLength(DEFAULTS.mounts.length);
  });

  test("two mounts of options with the same target are left for core to refuse", () => {
    const { mounts = [] } = configOf("--tmpfs", "/tmp:1m", "--tmpfs", "/tmp:2m");
    expect(mounts.filter(({ target }) => target === "/tmp")).toHaveLength(2);
  });
});

describe("relative paths of the host", () => {
  test("start at the working directory", () => {
    expect(configOf("some/root", "ls").root).toBe(join(process.cwd(), "some/root"));
    expect(configOf("--bind", "x:/y").mounts?.at(-1)).toMatchObject({
      source: join(process.cwd(), "x"),
    });
  });

  test("follow `..` behind a symlink as the kernel does", () => {
    const directory = scratch();
    mkdirSync(join(directory, "real/inner"), { recursive: true });
    symlinkSync("real/inner", join(directory, "link"));
    expect(configOf(`${directory}/link/..`, "ls").root).toBe(join(directory, "real"));
  });
});

describe("a config file", () => {
  test("gives what no option gives", () => {
    const config: ConfigInput = { command: ["make"], network: "host", limits: { wallTime: 9 } };
    expect(withFile(config, "--cwd", "/")).toMatchObject({ ...config, cwd: "/" });
  });

  test("gives way to an option with one value", () => {
    const config = withFile(
      { root: "/a", cwd: "/b", user: { uid: 1, gid: 2 }, command: ["make"], isolate: ["pid"] },
      "--cwd",
      "/c",
      "--gid",
      "3",
      "--isolate",
      "ipc",
      "/d",
      "ls",
    );
    expect(config).toEqual({
      root: "/d",
      cwd: "/c",
      user: { uid: 1, gid: 3 },
      command: ["ls"],
      isolate: ["ipc"],
    });
  });

  test("is added to by an option that can be repeated", () => {
    const config = withFile(
      { writable: ["/a"], hidden: ["/b"], inheritEnv: ["C"], env: { D: "1", E: "1" } },
      "--writable",
      "/f",
      "--hide",
      "/g",
      "--inherit-env",
      "H",
      "--env",
      "E=2",
    );
    expect(config).toEqual({
      writable: ["/a", "/f"],
      hidden: ["/b", "/g"],
      inheritEnv: ["C", "H"],
      env: { D: "1", E: "2" },
    });
  });

  test("keeps its own mounts, and --no-default-mounts takes the default ones from beside them", () => {
    const mounts = [{ type: "proc" as const, target: "/proc" }];
    const alone = { mounts, defaultMounts: false };
    expect(withFile({ mounts }, "--no-default-mounts")).toEqual(alone);
    expect(withFile({ mounts: [] }, "--proc", "/proc")).toEqual(alone);
    expect(withFile({ mounts }, "--tmpfs", "/t").mounts).toEqual([
      ...mounts,
      { type: "tmpfs", target: "/t" },
    ]);
    expect(withFile({ mounts }, "--bind", "/x:/proc").mounts).toMatchObject([
      { type: "bind", target: "/proc" },
    ]);
  });

  test("may leave to an option what its own fields need", () => {
    const overlay = { upper: "/u", work: "/w" };
    const written = withFile(
      { overlay, writable: "all", limits: { swap: 1 } },
      "--memory",
      "9",
      "/r",
    );
    expect(parseConfig(written)).toMatchObject({
      overlay,
      root: "/r",
      limits: { memory: 9, swap: 1 },
    });
  });

  test("that says `all` is writable everywhere stays so", () => {
    expect(withFile({ writable: "all" }, "--writable", "/a").writable).toBe("all");
  });
});

describe("an option that cannot be read is refused with its name and value", () => {
  test.each([
    { args: ["--env", "NAME"], message: '--env: "NAME" is not K=V' },
    { args: ["--env", "=x"], message: '--env: "=x" is not K=V' },
    { args: ["--timeout", "soon"], message: '--timeout: "soon" is not a number of seconds' },
    { args: ["--timeout", "1e3"], message: '--timeout: "1e3" is not a number of seconds' },
    { args: ["--timeout", "10 s"], message: '--timeout: "10 s" is not a number of seconds' },
    { args: ["--open-files", "many"], message: '--open-files: "many" is not a whole number' },
    { args: ["--stack", "8mb"], message: '--stack: SIZE "8mb" is not a number of bytes' },
    { args: ["--uid", "-1"], message: '--uid: N|NAME is missing, or is it "-1"?' },
    { args: ["--uid", "a:b"], message: '--uid: "a:b" is neither a number nor a name' },
    {
      args: ["--bind", "/a:b"],
      message: '--bind: "/a:b": DST "b" must be an absolute path inside',
    },
    {
      args: ["--bind", "/a:/b:rx"],
      message: '--bind: "/a:/b:rx" ends with "rx", which is neither ro nor rw',
    },
    { args: ["--bind", "/a:/b:ro:x"], message: '--bind: "/a:/b:ro:x" has too many parts' },
    { args: ["--bind", "/a:"], message: '--bind: "/a:" has no DST' },
    { args: ["--bind", ":/b"], message: '--bind: ":/b" has no SRC' },
    { args: ["--tmpfs", "/t:"], message: '--tmpfs: "/t:" is not DST[:SIZE]' },
    {
      args: ["--tmpfs", "/t:64mb"],
      message: '--tmpfs: "/t:64mb": SIZE "64mb" is not a number of bytes',
    },
  ])("$args", ({ args, message }) => {
    expect(() => configOf(...args)).toThrow(message);
  });
});

describe("--seccomp", () => {
  test("reads a profile of a file as it is", () => {
    const profile = { defaultAction: "SCMP_ACT_ALLOW" } as const;
    const file = join(scratch(), "profile.json");
    writeFileSync(file, JSON.stringify(profile));
    expect(configOf("--seccomp", file)).toEqual({ seccomp: { profile } });
  });

  test("names what is neither a profile nor JSON", () => {
    expect(() => configOf("--seccomp", "docker")).toThrow('--seccomp: "docker" is no profile');
    expect(() => configOf("--seccomp", "/dev/zero")).toThrow(
      '--seccomp: "/dev/zero" cannot be read: it is longer than a mebibyte',
    );
    expect(() => configOf("--seccomp", "./none")).toThrow(
      '--seccomp: "./none" cannot be read: it does not exist',
    );
    const file = join(scratch(), "profile.json");
    writeFileSync(file, "{");
    expect(() => configOf("--seccomp", file)).toThrow(
      `--seccomp: ${JSON.stringify(file)} is not JSON`,
    );
  });
});

describe("--env-file", () => {
  const fileOf = (text: string): string => {
    const file = join(scratch(), "vars");
    writeFileSync(file, text);
    return file;
  };

  test("sets its variables as they are, below those of --env", () => {
    const file = fileOf('# a comment\n\nA=1=2\nB= "x" #y\nC=\n');
    expect(configOf("--env", "C=3", "--env-file", file).env).toEqual({
      ...DEFAULTS.env,
      A: "1=2",
      B: ' "x" #y',
      C: "3",
    });
  });

  test.each([
    ["SECRET\n", "line 1: is not K=V"],
    ["A=1\n=SECRET\n", "line 2: is not K=V"],
    ["A=SECRET\n\nA=SECRET\n", 'line 3: "A" is set in line 1 already'],
    ["A=\xff", undefined],
  ])("%j is refused without its values", (text, message = "") => {
    const file = fileOf(text);
    if (message === "") writeFileSync(file, Buffer.from(text, "latin1"));
    const shown = `--env-file: ${JSON.stringify(file)}`;
    expect(() => configOf("--env-file", file)).toThrow(
      message === "" ? `${shown} cannot be read: it is not UTF-8` : `${shown}, ${message}`,
    );
    expect(message).not.toContain("SECRET");
  });

  test("is not read as by a shell", () => {
    const file = fileOf("A=1\nexport C=3\n");
    expect(() => configOf("--env-file", file)).toThrow(
      `--env-file: ${JSON.stringify(file)}, line 2: "export C" is a name with a space`,
    );
  });

  test("that is not there is refused", () => {
    expect(() => configOf("--env-file", "/no/such")).toThrow(
      '--env-file: "/no/such" cannot be read: it does not exist',
    );
  });
});

describe("--uid and --gid with a name", () => {
  const written = async (root: string, ...args: string[]): Promise<ConfigInput["user"]> => {
    const line = readCommandLine("run", args);
    return (await withUserIds(line, configFromOptions(line, {}), root)).config.user;
  };
  const rootWith = (passwd: string, group: string): string => {
    const root = scratch();
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "etc/passwd"), passwd);
    writeFileSync(join(root, "etc/group"), group);
    return root;
  };

  test("are looked up in the root", async () => {
    const root = rootWith("root:x:0:0::/:\nbuild:x:70:71::/:\n", "staff:x:72:\n");
    expect(await written(root, "--uid", "build", "--gid", "staff")).toEqual({ uid: 70, gid: 72 });
    expect(await written(root, "--uid", "build", "--gid", "5")).toEqual({ uid: 70, gid: 5 });
  });

  test("are refused where the root does not know them", async () => {
    const root = rootWith("build:x:many:1::/:\n", "");
    await expect(written(root, "--uid", "build")).rejects.toThrow(
      `--uid: "build" is not in /etc/passwd of ${JSON.stringify(root)}`,
    );
    await expect(written(scratch(), "--gid", "staff")).rejects.toThrow('--gid: "staff" is not in');
  });

  test("are not looked up through a symlink that leads out of the root", async () => {
    const outside = rootWith("build:x:70:71::/:\n", "");
    const root = scratch();
    symlinkSync(join(outside, "etc"), join(root, "etc"));
    await expect(written(root, "--uid", "build")).rejects.toThrow('"build" is not in /etc/passwd');
  });
});

describe("--tty without a command", () => {
  test.each([
    [["--tty"], [process.env["SHELL"] ?? "/bin/sh"]],
    [["--tty", "/srv"], ["/bin/sh"]],
    [["--tty", "--", "ls"], ["ls"]],
    [[], undefined],
  ])("%j runs %j", (args, command) => {
    expect(configOf(...args).command).toEqual(command);
  });

  test("leaves the command of a config file, which may be that of an image", () => {
    expect(withFile({ command: ["make"] }, "--tty").command).toEqual(["make"]);
  });
});

describe("a user is chosen", () => {
  const chosen = (file: ConfigInput, ...args: string[]): ConfigInput["user"] =>
    chosenUser(readCommandLine("run", args), file);

  test("by both of its ids, from options or the config file", () => {
    const file = { user: { uid: 1, gid: 2 } };
    expect(chosen({}, "--uid", "3", "--gid", "4")).toEqual({ uid: 3, gid: 4 });
    expect(chosen(file)).toEqual({ uid: 1, gid: 2 });
    expect(chosen(file, "--uid", "3")).toEqual({ uid: 3, gid: 2 });
    for (const args of [[], ["--uid", "3"], ["--gid", "4"]])
      expect(chosen({}, ...args)).toBe(undefined);
  });
});
