import type { Capability, Host, HostRun, Missing, Probe } from "@sandboxlib/core";
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
    attempt(found, PARTS.flatMap(({ options }) => options), PARTS.map(({ check }) => check), host),
  ]);
  const about = { version: version.stdout.trim() };
  if (whole.exitCode === 0) return { available: true, ...about };
  const base = await attempt(found, BASE, [], host);
  if (base.exitCode !== 0) return { available: false, ...explain(found, base) };
  const missing = await Promise.all(PARTS.map((part) => tryPart(found, part, host)));
  const old = missing.flat().find(({ capability }) => capability === "mount.bind");
  if (old !== undefined) return { available: false, reason: old.reason, remedy: UPDATE };
  return { available: true, ...about, missing: missing.flat() };
}

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
  { capability: "mount.dev", options: ["--mount-devapi", "/dev"], check: "[ -c /dev/null ] && [ -L /dev/fd ]" },
  { capability: "network.none", options: ["--unshare-net"], check: ":" },
  { capability: "isolate.ipc", options: ["--unshare-ipc"], check: ":" },
];
