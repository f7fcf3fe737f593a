import type {
  Found,
  Host,
  Refusal,
  ResolvedConfig,
  ResolvedMount,
  ToolPlan,
} from "@sandboxlib/core/backend";
import { type Guards, guardsFor } from "./guards.js";
import { mechanisms, nestingMechanisms } from "./mechanisms.js";
import { interpret, readReport } from "./report.js";

/** The most words of options that bwrap takes, with those that it reads from an fd. */
const MAX_WORDS = 9000;

const BEFORE = ["--perms", "0755"] as const;

/**
 * Plans a run of bwrap. It reads its options from fd 3, where the limit of an argv does not apply and ps(1) does not show
 * them. It reports on fd 4. It loads filters of system calls from fd 5 and fd 11, for the program and for its own pid 1.
 *
 * On fd 10 it waits until the sandbox has been verified. Those from 6 to 9 are for fds that the caller hands on.
 *
 * If this process dies before it has written the options, bwrap reads none, and would run the command in an empty sandbox. So
 * the argv ends with `--perms`, which is an error alone: the option that must follow it is the first one on fd 3.
 */
export function plan(
  config: ResolvedConfig,
  host: Host,
  { findings }: Pick<Found<Guards>, "findings"> = {},
): ToolPlan | Refusal {
  const options = [
    "--dir",
    "/",
    ...isolation(config),
    ...mounts(config, host),
    ...environment(config),
    "--chdir",
    config.cwd,
    ...filterOptions(config),
  ];
  if (options.length > MAX_WORDS) return tooLong(config, options.length);
  if (config.seccomp === "strict") return NO_STRICT;
  if (isNesting(config) && (config.user ?? host).uid === 0) return NO_ROOT;
  const guards = findings ?? guardsFor(host.which("bwrap") ?? "bwrap", host);
  if ("reason" in guards)
    return { refusal: { path: "command", reason: guards.reason, hint: guards.remedy } };
  return {
    kind: "tool",
    ...guards,
    argv: [
      ...guards.argv,
      ...BEFORE,
      "--args",
      "3",
      "--json-status-fd",
      "4",
      "--block-fd",
      "10",
      "--",
    ],
    env: {},
    fds: {
      3: { data: options.map((word) => `${word}\0`).join("") },
      4: "report",
      ...filterFds(config),
      10: "hold",
    },
    mechanisms: isNesting(config) ? nestingMechanisms : mechanisms,
    signals: "child of init",
    readReport,
    interpret,
  };
}

/** The options for namespaces. A pid namespace that ends with bwrap, and no capabilities, are not left to the config. */
function isolation(config: ResolvedConfig): string[] {
  const { isolate, network, user, hostname } = config;
  return [
    "--die-with-parent",
    "--unshare-pid",
    "--cap-drop",
    "ALL",
    ...(["ipc", "uts", "cgroup"] as const)
      .filter((name) => isolate.has(name))
      .map((name) => `--unshare-${name}`),
    ...(isolate.has("user") || user !== undefined ? ["--unshare-user"] : []),
    // In a new user namespace the program would have capabilities again. It could mount the cgroups of the host, and kill
    // or freeze other processes of the caller's uid with them. Where the config allows one, the profile keeps it from that.
    ...(isolate.has("user") && !isNesting(config) ? ["--disable-userns"] : []),
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
    // This comes last, since mount points of deeper mounts are made in these directories before.
    ...config.mounts.filter(isReadOnlyTmpfs).flatMap(({ target }) => ["--remount-ro", target]),
  ];
}

function mountOptions(mount: ResolvedMount, host: Host): string[] {
  const { target } = mount;
  switch (mount.type) {
    case "bind":
      return [bindOption(mount.source, mount.readOnly), mount.source, target];
    case "tmpfs":
      // 1777 is the default of tmpfs(5).
      return [
        "--perms",
        "1777",
        ...(mount.size === undefined ? [] : ["--size", String(mount.size)]),
        "--tmpfs",
        target,
      ];
    case "proc":
      // Root inside is the owner of the files in /proc/sys, with or without capabilities, and bwrap leaves them writable.
      // One of them, kernel/core_pattern, names a program that the host runs as root.
      return [
        "--proc",
        target,
        ...(host.uid === 0 ? ["--ro-bind", "/proc/sys", `${target}/sys`] : []),
        // Pid 1 is bwrap. It has the uid of the program, which could write to its memory and open its files.
        ...maskInit(target),
      ];
    case "dev":
      // When standard output is a terminal, bwrap binds it to /dev/console, where the program could change its mode.
      return ["--dev", target, "--ro-bind", "/dev/null", `${target}/console`];
    case "mask":
      // bwrap binds with nodev, so this device cannot be opened. A directory of mode 0111 cannot be listed.
      return mount.kind === "file"
        ? ["--ro-bind", "/dev/null", target]
        : ["--perms", "0111", "--tmpfs", target];
  }
}

/**
 * Masks /proc/1 with an empty directory that cannot be listed. The filter keeps the program from reaching pid 1 in
 * other ways.
 */
export function maskInit(target: string): string[] {
  const init = `${target}/1`;
  return ["--perms", "0111", "--tmpfs", init, "--remount-ro", init];
}

/**
 * bwrap binds with nodev unless it is told otherwise. A device that the config binds can be used, except read-only, since
 * bwrap has no option for a read-only bind with devices.
 */
function bindOption(source: string, readOnly: boolean): string {
  if (readOnly) return "--ro-bind";
  return isDevice(source) ? "--dev-bind" : "--bind";
}

function isReadOnlyTmpfs(mount: ResolvedMount): boolean {
  return mount.type === "mask" && mount.kind === "directory";
}

function isDevice(source: string): boolean {
  return source === "/dev" || source.startsWith("/dev/");
}

/** bwrap takes one filter, or, by another option that older ones do not have, any number. */
function filterOptions({ seccomp }: ResolvedConfig): string[] {
  return seccomp instanceof Uint8Array
    ? ["--add-seccomp-fd", "5", "--add-seccomp-fd", "11"]
    : ["--seccomp", "5"];
}

function filterFds({ seccomp }: ResolvedConfig): NonNullable<ToolPlan["fds"]> {
  if (seccomp instanceof Uint8Array)
    return { 5: "filter", 11: { data: seccomp, isForProgram: true } };
  return { 5: seccomp === undefined || seccomp === "strict" ? "filter" : { filter: seccomp } };
}

const NO_STRICT: Refusal = {
  refusal: {
    path: "seccomp",
    capability: "seccomp",
    reason: "`strict` would end pid 1 of the sandbox, which is bwrap",
    hint: "Use the backend namespaces, or another profile.",
  },
};

function isNesting({ allow }: ResolvedConfig): boolean {
  return allow?.includes("user-namespaces") === true;
}

const NO_ROOT: Refusal = {
  refusal: {
    path: "allow",
    capability: "allow.user-namespaces",
    reason:
      "the kernel lets no program with the uid 0 and without capabilities map its uid into a user namespace",
    hint: "Set `user.uid` and `user.gid` to those of another user.",
  },
};

function environment({ env }: ResolvedConfig): string[] {
  return [
    "--clearenv",
    ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
  ];
}

function tooLong(config: ResolvedConfig, words: number): Refusal {
  const isMounts = config.mounts.length > Object.keys(config.env).length;
  return {
    refusal: {
      ...(isMounts ? { path: "mounts", capability: "mount.bind" } : { path: "env" }),
      reason: `${words} words of options, and bwrap takes ${MAX_WORDS}`,
      hint: "Bind a common parent directory instead of many files, or use another backend.",
    },
  };
}
