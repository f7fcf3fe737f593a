import {
  type Capability,
  type Host,
  type HostRun,
  type Missing,
  type Probe,
  toolLimits,
} from "@sandboxlib/core";
import { isRootReadOnly } from "./mountinfo.js";
import { toolEnvironment } from "./plan.js";
import { findProgram, type Program } from "./program.js";

/** Tries everything that a plan uses in one run; only if that fails, one thing after the other. */
export async function probe(host: Host, named: string | undefined): Promise<Probe> {
  const found = findProgram(host, named);
  if ("reason" in found) return { available: false, ...found };
  const forbidden = whyNotTried(found, host);
  if (forbidden !== undefined) return { available: false, ...forbidden };
  const [version, whole] = await Promise.all([
    host.run(command(found, host, ["--version"])),
    attempt(
      found,
      PARTS.flatMap(({ options }) => options),
      PARTS.map(({ check }) => check),
      host,
    ),
  ]);
  const about = { version: version.stdout.trim() };
  const limits = missingLimits(found, host);
  if (whole.exitCode === 0) return { available: true, ...about, missing: limits };
  const base = await attempt(found, BASE, [], host);
  if (base.exitCode !== 0) return { available: false, ...explain(found, base) };
  const missing = await Promise.all(PARTS.map((part) => tryPart(found, part, host)));
  const old = missing.flat().find(({ capability }) => capability === "mount.bind");
  if (old !== undefined)
    return { available: false, reason: `${found.path} is too old: ${old.reason}`, remedy: UPDATE };
  return { available: true, ...about, missing: [...missing.flat(), ...limits] };
}

/**
 * The drop-in is a program of Node's, which takes gigabytes of addresses, much memory, and many fds and threads before there is
 * a program. For root it copies bwrap into memory, which is a file that grows.
 */
function missingLimits({ isScript }: Program, host: Host): Missing[] {
  const missing = toolLimits.missing(host);
  if (!isScript || missing.length > 0) return missing;
  const reason = "the limit would hit the drop-in linux-user-chroot, a program of Node's, first";
  const remedy = "Use the backend that the drop-in itself uses.";
  const needs = host.uid === 0 ? [...OWN_NEEDS, "limit.fileSize" as const] : OWN_NEEDS;
  return needs.map((capability) => ({ capability, reason, remedy }));
}

const OWN_NEEDS = [
  "limit.addressSpace",
  "limit.openFiles",
  "limit.stack",
  "limit.memory",
  "limit.processes",
] as const;

interface Part {
  readonly capability: Capability;
  readonly options: readonly string[];
  /** What must hold inside then, as a shell command. */
  readonly check: string;
}

/** What no run can do without; at the host's own root, which is the one that is there for certain. */
const BASE = ["--unshare-pid", "--chdir", "/"];

const PARTS: readonly Part[] = [
  { capability: "mount.bind", options: ["--mount-bind", "/bin/sh", "/bin/sh"], check: ":" },
  { capability: "mount.bind.readOnly", options: ["--mount-readonly", "/proc/fs"], check: ":" },
  { capability: "mount.proc", options: ["--mount-proc", "/proc"], check: "[ -e /proc/1 ]" },
  // /dev/fd, which programs expect with a /proc, is not in the /dev of every build.
  {
    capability: "mount.dev",
    options: ["--mount-devapi", "/dev"],
    check: "[ -c /dev/null ] && [ -L /dev/fd ]",
  },
  { capability: "network.none", options: ["--unshare-net"], check: ":" },
  { capability: "isolate.ipc", options: ["--unshare-ipc"], check: ":" },
];

const UPDATE =
  "Build linux-user-chroot from the end of its history, or use @sandboxlib/linux-user-chroot.";

async function tryPart(found: Program, part: Part, host: Host): Promise<Missing[]> {
  const { exitCode, stderr } = await attempt(found, [...BASE, ...part.options], [part.check], host);
  if (exitCode === 0) return [];
  const why = stderr.trim().split("\n").at(-1) || `what it gives fails ${part.check}`;
  const reason = `it does not do ${part.options.join(" ")} (${why})`;
  return [{ capability: part.capability, reason, remedy: UPDATE }];
}

async function attempt(
  found: Program,
  options: readonly string[],
  checks: readonly string[],
  host: Host,
): Promise<HostRun> {
  const script = ["PATH=/usr/bin:/bin", ...checks].join(" && ");
  return host.run(command(found, host, [...options, "/", "/bin/sh", "-c", script]));
}

function command({ path }: Program, host: Host, args: readonly string[]): [string, ...string[]] {
  const { PATH } = toolEnvironment();
  return [host.which("env") ?? "/usr/bin/env", `PATH=${PATH}`, path, ...args];
}

/** Where even to try would do harm, or where every run would break a promise. */
function whyNotTried({ isScript }: Program, { uid, gid }: Host) {
  if (!isScript && isRootReadOnly()) {
    return {
      reason:
        "the root file system of this host is read-only, and linux-user-chroot makes it writable for everybody when it is run",
      remedy:
        "Use @sandboxlib/linux-user-chroot, which takes its place and does not, or the backend namespaces.",
    };
  }
  if (uid === 0 || gid !== 0) return undefined;
  return {
    reason: `linux-user-chroot gives a user in the group 0 the gid ${uid} instead`,
    remedy: "Run with another primary group (newgrp, setpriv --regid).",
  };
}

function explain({ path, isSetuid, isScript }: Program, { stderr }: HostRun) {
  const why = stderr.trim().split("\n").at(-1) || "it fails without a reason";
  if (isScript)
    return {
      reason: why,
      remedy: "Run `sandboxlib doctor` to learn what the other backends need here.",
    };
  const isRefused = why.endsWith("Operation not permitted");
  if (!isSetuid && isRefused)
    return {
      reason: `${path} is not installed setuid root (${why})`,
      remedy: `sudo chown root:root ${path} && sudo chmod 4755 ${path}`,
    };
  if (isRefused) {
    const remedy =
      "Mount its file system without nosuid, and start this process without no_new_privs and with the powers of root within reach.";
    return { reason: `${path} is setuid root, and does not become root here (${why})`, remedy };
  }
  return { reason: `${path} is too old, or does not work: ${why}`, remedy: UPDATE };
}
