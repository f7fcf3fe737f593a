import { dirname } from "node:path";
import {
  type Backend,
  type Host,
  type Observation,
  type Refusal,
  type ResolvedConfig,
  type ResolvedMount,
  type Step,
  type ToolPlan,
  toolLimits,
  type Verdict,
} from "@sandboxlib/core/backend";
import { FILL_DEV, found, notStarted, OPTIONS, tmpfsOptions } from "./tools.js";

/** Plans a run with chroot(8). Mounts are made on the host, and are there while the program runs. */
export function planPosix(
  { root, mounts, cwd, env }: ResolvedConfig,
  host: Host,
): ToolPlan | Refusal {
  if (root === "/" && mounts[0] !== undefined) return overTheHost(mounts[0]);
  const variables = Object.entries(env).map((each) => each.join("="));
  // chroot(8) starts in `/`, so a shell of the root changes to another directory.
  const change = cwd === "/" ? [] : ["/bin/sh", "-c", CHANGE_DIRECTORY, "sh", cwd];
  return {
    kind: "tool",
    argv: [found("env", host), "-i", "--", ...variables, found("chroot", host), root, ...change],
    env: {},
    before: mounts.flatMap((mount) => steps(mount, root + mount.target, host)),
    mechanisms: posixMechanisms,
    interpret,
  };
}

const ELSEWHERE = "with another root than the host's own `/`";

/** There is no mount namespace: at the host's root a mount would be one for every process, and is refused. */
export const posixParts: NonNullable<Backend["partly"]> = {
  "mount.bind": ELSEWHERE,
  "mount.tmpfs": ELSEWHERE,
  "mount.proc": ELSEWHERE,
  "mount.dev": ELSEWHERE,
};

const CHANGE_DIRECTORY = 'cd -P -- "$1" && shift && unset OLDPWD SHLVL && exec "$@"';

/** What enforces each capability elsewhere. */
export const posixMechanisms: ToolPlan["mechanisms"] = {
  root: "chroot(8)",
  "mount.bind": "mount --bind on the host before the run, umount after it",
  "mount.tmpfs": "mount -t tmpfs on the host before the run, umount after it",
  "mount.tmpfs.size": "mount -t tmpfs -o size=BYTES",
  "mount.tmpfs.inodes": "mount -t tmpfs -o nr_inodes=NUMBER",
  "mount.proc": "mount -t proc on the host before the run, umount after it",
  "mount.dev": "mount -t tmpfs on the host before the run, filled by cp -a with nodes like its own",
  cwd: "cd of /bin/sh in the root, unless it is `/`",
  ...toolLimits.mechanisms,
  "exit.signal": "chroot(8) becomes the program; Node tells no real-time signal from exit status 0",
};

function steps(mount: ResolvedMount, at: string, host: Host): Step[] {
  const isFile = mount.type === "bind" && mount.kind === "file";
  // What is made here lies in a tmpfs of the run, and goes with it.
  const mkdir: Step = { run: [found("mkdir", host), "-p", isFile ? dirname(at) : at] };
  const touch: Step[] = isFile ? [{ run: [found("touch", host), at] }] : [];
  const attach: Step = {
    run: [found("mount", host), ...mountArguments(mount), at],
    undo: { kind: "unmount", path: at },
  };
  const fill: Step[] =
    mount.type === "dev" ? [{ run: [found("sh", host), "-c", FILL_DEV, "sh", at] }] : [];
  return [...(mount.create ? [mkdir, ...touch] : []), attach, ...fill];
}

function mountArguments(mount: ResolvedMount): string[] {
  switch (mount.type) {
    case "bind":
      return ["--bind", mount.source];
    case "tmpfs":
      return ["-t", "tmpfs", "-o", tmpfsOptions(mount.size), "tmpfs"];
    case "dev":
      return ["-t", "tmpfs", "-o", OPTIONS.dev, "tmpfs"];
    case "proc":
      return ["-t", "proc", "-o", OPTIONS.proc, "proc"];
    case "mask":
      throw new TypeError("`hidden` is not declared");
  }
}

function interpret(observed: Observation): Verdict {
  const { exitCode, signal } = observed;
  if (signal !== null) return { kind: "signaled", signal };
  const failed = notStarted(/^(\S*\/)?(chroot|sh): .*\n$/, observed);
  return failed ?? { kind: "exited", exitCode: exitCode ?? 0 };
}

function overTheHost({ path, type }: ResolvedMount): Refusal {
  const reason =
    "with the root `/` it would be mounted over the host's own files, for every process";
  const hint = "Use another `root`, or set `mounts` to []: there is no mount namespace here.";
  const asks = type === "mask" ? { path } : ({ path, capability: `mount.${type}` } as const);
  return { refusal: { ...asks, reason, hint } };
}
