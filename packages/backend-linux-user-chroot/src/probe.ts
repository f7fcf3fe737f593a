import { dirname } from "node:path";
import type { Capability } from "@sandboxlib/core";
import {
  type Host,
  type HostRun,
  type Missing,
  OWN_BASE,
  type Probe,
  toolLimits,
} from "@sandboxlib/core/backend";
import { findLauncher } from "./launcher.js";
import { hasMountOption } from "./mountinfo.js";
import { toolEnvironment } from "./plan.js";
import { findProgram, type Program } from "./program.js";

/** Tries everything that a plan uses in one run. Only when that fails, each part is tried by itself. */
export async function probe(host: Host, named: string | undefined): Promise<Probe<Program>> {
  const found = findProgram(host, named);
  if ("reason" in found) return { available: false, ...found };
  const forbidden = whyNotTried(found, host) ?? (await whyNoGuest(host));
  if (forbidden !== undefined) return { available: false, ...forbidden };
  const [version, whole] = await Promise.all([
    host.run(command(found, host, ["--version"])),
    tryOptions(
      found,
      PARTS.flatMap(({ options }) => options),
      PARTS.map(({ check }) => check),
      host,
    ),
  ]);
  const about = { findings: found, version: version.stdout.trim() };
  const limits = [...missingLimits(found, host), ...missingTmpfs()];
  if (whole.exitCode === 0) return { available: true, ...about, missing: limits };
  const base = await tryOptions(found, BASE, [], host);
  if (base.exitCode !== 0) return { available: false, ...explain(found, base) };
  const missing = await Promise.all(PARTS.map((part) => tryPart(found, part, host)));
  const old = missing.flat().find(({ capability }) => capability === "mount.bind");
  if (old !== undefined)
    return { available: false, reason: `${found.path} is too old: ${old.reason}`, remedy: UPDATE };
  return { available: true, ...about, missing: [...missing.flat(), ...limits] };
}

/**
 * The drop-in runs on Node, which takes gigabytes of address space, much memory, and many fds and threads before it starts
 * the program. For root it also copies bwrap into a file in memory, to which the limit of file sizes applies.
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
  /** A shell command that must succeed inside with these options. */
  readonly check: string;
}

/** The options that every run needs. The root is that of the host, which is certain to be there. */
const BASE = ["--unshare-pid", "--chdir", "/"];

const PARTS: readonly Part[] = [
  { capability: "mount.bind", options: ["--mount-bind", "/bin/sh", "/bin/sh"], check: ":" },
  { capability: "mount.bind.readOnly", options: ["--mount-readonly", "/proc/fs"], check: ":" },
  { capability: "mount.proc", options: ["--mount-proc", "/proc"], check: "[ -e /proc/1 ]" },
  // Programs expect /dev/fd where there is a /proc, but not every build makes it.
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
  const { exitCode, stderr } = await tryOptions(
    found,
    [...BASE, ...part.options],
    [part.check],
    host,
  );
  if (exitCode === 0) return [];
  const why = stderr.trim().split("\n").at(-1) || `what it gives fails ${part.check}`;
  const reason = `it does not do ${part.options.join(" ")} (${why})`;
  return [{ capability: part.capability, reason, remedy: UPDATE }];
}

async function tryOptions(
  found: Program,
  options: readonly string[],
  checks: readonly string[],
  host: Host,
): Promise<HostRun> {
  const script = ["PATH=/usr/bin:/bin", ...checks].join(" && ");
  return host.run(command(found, host, [...options, "/", "/bin/sh", "-c", script]));
}

function command({ path }: Program, host: Host, args: readonly string[]): [string, ...string[]] {
  const { PATH } = toolEnvironment([]);
  return [host.which("env") ?? "/usr/bin/env", `PATH=${PATH}`, path, ...args];
}

/** The init inside is a copy in memory of the launcher. */
async function whyNoGuest(host: Host) {
  const launcher = findLauncher();
  if (!("path" in launcher)) return launcher;
  const { exitCode, stderr } = await host.run([launcher.path, "clone", launcher.path]);
  if (exitCode === 0) return undefined;
  return {
    reason: `${launcher.path}, the init inside, cannot be copied into memory: ${stderr.trim() || "it cannot be started"}`,
    remedy: "Allow executable files in memory (sysctl vm.memfd_noexec=0), or use another backend.",
  };
}

/** A tmpfs is a directory on a file system of the host, from which programs are to be started, too. */
function missingTmpfs(): Missing[] {
  const option = ["ro", "noexec"].find((each) => hasMountOption(OWN_BASE, each));
  if (option === undefined) return [];
  const reason = `${dirname(OWN_BASE)}, where it would be a directory, is mounted with the option ${option}`;
  const remedy = "Mount it without, or use another backend.";
  return [{ capability: "mount.tmpfs", reason, remedy }];
}

/** Why the tool must not even be tried on this host: it would do harm, or change the ids of the program. */
function whyNotTried({ isScript }: Program, { uid, gid }: Host) {
  if (!isScript && hasMountOption("/", "ro")) {
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
