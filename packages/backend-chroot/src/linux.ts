import { basename, dirname } from "node:path";
import { signalName } from "@sandboxlib/core";
import {
  type Host,
  type Observation,
  type ResolvedConfig,
  type ResolvedMount,
  type ToolPlan,
  toolLimits,
  type Verdict,
} from "@sandboxlib/core/backend";
import { SETUP } from "./setup.js";
import { FEW, found, notStarted, OPTIONS, searchPath, tmpfsOptions } from "./tools.js";

/**
 * Plans a run with the tools of util-linux. The variables of the config are set for the program only, not for the
 * tools.
 */
export function planLinux({ root, mounts, cwd, env, user }: ResolvedConfig, host: Host): ToolPlan {
  const [unshare, sh] = [found("unshare", host), found("sh", host)];
  const separate = ["--mount", "--propagation", "private", "--pid", "--"];
  const list = operations(mounts).flat();
  const variables = Object.entries(env).map((each) => each.join("="));
  const clean = [found("setpriv", host), ...FEW, found("env", host), "-i", "--", ...variables];
  const ids = user && ["--setgid", String(user.gid), "--setuid", String(user.uid)];
  const start = [...clean, unshare, "--root", ".", "--wd", cwd, ...(ids ?? []), "--"];
  return {
    kind: "tool",
    argv: [unshare, ...separate, sh, "-c", SETUP, "sh", unshare, root, ...list, "--", ...start],
    env: { PATH: searchPath(host) },
    fds: { 3: "report", 4: "lifeline" },
    mechanisms: linuxMechanisms,
    signals: "child of tool",
    readReport(report) {
      const pid = /^init (\d+)$/m.exec(report)?.[1];
      return pid === undefined ? {} : { initPid: Number(pid) };
    },
    interpret,
  };
}

/** What enforces each capability on Linux. */
export const linuxMechanisms: ToolPlan["mechanisms"] = {
  root: "mount --move to /, and unshare --root, which is chroot(2)",
  "mount.bind": "mount --rbind in a private mount namespace",
  "mount.tmpfs": "mount -t tmpfs in a private mount namespace",
  "mount.tmpfs.size": "mount -t tmpfs -o size=BYTES",
  "mount.tmpfs.inodes": "mount -t tmpfs -o nr_inodes=NUMBER",
  "mount.proc": "mount -t proc from inside the pid namespace",
  "mount.dev": "mount -t tmpfs, filled by cp -a with nodes like the host's",
  cwd: "unshare --wd",
  "isolate.mount": "unshare --mount --propagation private",
  "isolate.pid": "unshare --pid",
  user: "unshare --setgid --setuid, which leaves no supplementary group",
  ...toolLimits.mechanisms,
  "tree.kill": "unshare --pid: pid 1 ends with a pipe of this process, and everything with pid 1",
  "exit.signal": "setsid --wait, which reports it",
};

/** One step of the setup: what to do, in which directory, with which name in it, and an argument. */
type Operation = readonly [operation: string, directory: string, name: string, word: string];

function operations(mounts: readonly ResolvedMount[]): Operation[] {
  const there = new Set(mounts.map(({ target }) => target));
  return mounts.flatMap((mount) => [...mountPoint(mount, there), operation(mount)]);
}

/** The steps that make a mount point. Each directory is made by itself, so that no symlink on the way is followed. */
function mountPoint(mount: ResolvedMount, there: Set<string>): Operation[] {
  if (!mount.create) return [];
  const missing: string[] = [];
  for (let path = dirname(mount.target); !there.has(path); path = dirname(path)) {
    there.add(path);
    missing.unshift(path);
  }
  const make = (operation: string, path: string): Operation => [
    operation,
    dirname(path),
    basename(path),
    "",
  ];
  const isFile = mount.type === "bind" && mount.kind === "file";
  return [
    ...missing.map((path) => make("mkdir", path)),
    make(isFile ? "touch" : "mkdir", mount.target),
  ];
}

function operation(mount: ResolvedMount): Operation {
  const { type, target } = mount;
  if (type === "mask") throw new TypeError("`hidden` is not declared");
  if (type === "tmpfs") return [type, target, "", tmpfsOptions(mount.size)];
  if (type !== "bind") return [type, target, "", OPTIONS[type]];
  if (mount.kind === "directory") return [type, target, "", mount.source];
  return ["file", dirname(target).replace(/^\/$/, ""), basename(target), mount.source];
}

/** When setsid(1) says that a signal ended the program, its exit status is the signal, plus 128 for a core dump. */
function interpret(observed: Observation): Verdict {
  const { exitCode, signal, report } = observed;
  const end = /^init \d+\n(.*)$/ms.exec(report)?.[1];
  if (end !== undefined && signal !== null) return { kind: "signaled", signal };
  const died = end?.includes("did not exit normally") === true;
  if (exitCode === null || end === undefined || (end !== "" && !died)) {
    const why = report.trim() || (signal ?? `exit status ${exitCode}`);
    return { kind: "failed", code: "LAUNCH_FAILED", message: `the setup failed: ${why}` };
  }
  if (!died)
    return (
      notStarted(/^unshare: failed to execute .*\n$/, observed) ?? { kind: "exited", exitCode }
    );
  const coreDumped = (exitCode & 0x80) !== 0;
  return {
    kind: "signaled",
    signal: signalName(exitCode & 0x7f),
    ...(coreDumped && { coreDumped }),
  };
}
