import type { Host, Refusal, ResolvedConfig, ResolvedMount, ToolPlan } from "@sandboxlib/core";
import { guardsFor } from "./guards.js";
import { mechanisms } from "./mechanisms.js";
import { interpret, readReport } from "./report.js";

/** The most words that bwrap takes, those that it reads from an fd included. */
const MAX_WORDS = 9000;

const BEFORE = ["--perms", "0755"] as const;

/**
 * The options go over fd 3, where no limit of argv applies and ps(1) shows nothing; bwrap reports on fd 4, and loads the
 * filter from fd 5 for the program, not for its own pid 1.
 *
 * If this process dies before it has written them, bwrap reads none, and would run the command in an empty sandbox.
 * `--perms` alone is an error, so it stops: the option that goes with it, harmless in itself, is the first on fd 3.
 */
export function plan(config: ResolvedConfig, host: Host): ToolPlan | Refusal {
  const options = [
    "--dir",
    "/",
    ...isolation(config),
    ...mounts(config, host),
    ...environment(config),
    "--chdir",
    config.cwd,
    "--seccomp",
    "5",
  ];
  if (options.length > MAX_WORDS) return tooLong(config, options.length);
  const guards = guardsFor(host.which("bwrap") ?? "bwrap", host);
  if ("reason" in guards)
    return { refusal: { path: "command", reason: guards.reason, hint: guards.remedy } };
  return {
    kind: "tool",
    ...guards,
    argv: [...guards.argv, ...BEFORE, "--args", "3", "--json-status-fd", "4", "--"],
    env: {},
    fds: { 3: { data: options.map((word) => `${word}\0`).join("") }, 4: "report", 5: "filter" },
    mechanisms,
    readReport,
    interpret,
  };
}

/** Always a pid namespace whose pid 1 dies with bwrap, and no capability, whatever the config leaves out. */
function isolation({ isolate, network, user, hostname }: ResolvedConfig): string[] {
  return [
    "--die-with-parent",
    "--unshare-pid",
    "--cap-drop",
    "ALL",
    ...(["ipc", "uts", "cgroup"] as const)
      .filter((name) => isolate.has(name))
      .map((name) => `--unshare-${name}`),
    ...(isolate.has("user") || user !== undefined ? ["--unshare-user"] : []),
    // In a user namespace of its own making the program would have capabilities again: it could mount the host's
    // cgroups and end or freeze other processes of the caller's uid there.
    ...(isolate.has("user") ? ["--disable-userns"] : []),
    ...(network === "none" ? ["--unshare-net"] : []),
    ...(user === undefined ? [] : ["--uid", String(user.uid), "--gid", String(user.gid)]),
    ...(hostname === undefined ? [] : ["--hostname", hostname]),
  ];
}

function mounts(config: ResolvedConfig, host: Host): string[] {
  return [
    config.rootReadOnly ? "--ro-bind" : "--bind",
    config.root,
    "/",
    ...config.mounts.flatMap((mount) => mountOptions(mount, host)),
    // Last, because mount points for deeper mounts are made in them before.
    ...config.mounts.filter(isSealed).flatMap(({ target }) => ["--remount-ro", target]),
  ];
}

function mountOptions(mount: ResolvedMount, host: Host): string[] {
  const { target } = mount;
  switch (mount.type) {
    case "bind":
      return [bindOption(mount.source, mount.readOnly), mount.source, target];
    case "tmpfs":
      // The mode that tmpfs(5) has by default.
      return [
        "--perms",
        "1777",
        ...(mount.size === undefined ? [] : ["--size", String(mount.size)]),
        "--tmpfs",
        target,
      ];
    case "proc":
      // To the files below, root inside is root outside, with or without capabilities, and bwrap leaves them writable:
      // kernel/core_pattern alone names a program that the host runs as root.
      return [
        "--proc",
        target,
        ...(host.uid === 0 ? ["--ro-bind", "/proc/sys", `${target}/sys`] : []),
        // Pid 1 is bwrap, with the uid and the rights of the program, which could write to its memory and open its files.
        ...maskInit(target),
      ];
    case "dev":
      // bwrap binds the terminal that standard output is to this name, and so lets the program change its mode.
      return ["--dev", target, "--ro-bind", "/dev/null", `${target}/console`];
    case "hide":
      // A device on a nodev mount cannot be opened; a directory can be passed through but not listed.
      return mount.kind === "file"
        ? ["--ro-bind", "/dev/null", target]
        : ["--perms", "0111", "--tmpfs", target];
  }
}

/** An empty directory that cannot be listed in place of that of pid 1. The filter closes the way past procfs. */
export function maskInit(target: string): string[] {
  const init = `${target}/1`;
  return ["--perms", "0111", "--tmpfs", init, "--remount-ro", init];
}

/**
 * bwrap mounts everything nodev but what it is told: a device that the config binds is meant to be used. Read-only, it
 * cannot be: bwrap has no recursive way to that.
 */
function bindOption(source: string, readOnly: boolean): string {
  if (readOnly) return "--ro-bind";
  return isDevice(source) ? "--dev-bind" : "--bind";
}

function isSealed(mount: ResolvedMount): boolean {
  return mount.type === "hide" && mount.kind === "directory";
}

function isDevice(source: string): boolean {
  return source === "/dev" || source.startsWith("/dev/");
}

function environment({ env }: ResolvedConfig): string[] {
  return [
    "--clearenv",
    ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
  ];
}

function tooLong(config: ResolvedConfig, words: number): Refusal {
  return {
    refusal: {
      path: config.mounts.length > Object.keys(config.env).length ? "mounts" : "env",
      reason: `${words} words of options, and bwrap takes ${MAX_WORDS}`,
      hint: "Bind a common parent directory instead of many files, or use another backend.",
    },
  };
}
