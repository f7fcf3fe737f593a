import type { Capability } from "@sandboxlib/core";
import { type Host, type Missing, type Probe, toolLimits } from "@sandboxlib/core/backend";
import { type Guards, tryGuards } from "./guards.js";
import { followsOldroot } from "./oldroot.js";
import { maskInit } from "./plan.js";

type Argv = readonly [string, ...string[]];

/** Tries everything that a plan uses in one run. Only when that fails, each part is tried by itself. */
export async function probe(host: Host): Promise<Probe<Guards>> {
  const bwrap = host.which("bwrap");
  if (bwrap === undefined) {
    return {
      available: false,
      reason: "bwrap is not installed",
      remedy: "Install the package bubblewrap (apt install bubblewrap, dnf install bubblewrap).",
    };
  }
  const [version, whole, nesting, oldroot, guards] = await Promise.all([
    host.run([bwrap, "--version"]),
    host.run(probeRun(bwrap, [...BASE, ...PARTS.flatMap(([, options]) => options)]), {
      fds: { 0: "filter" },
    }),
    missingNesting(bwrap, host),
    followsOldroot(bwrap, host),
    tryGuards(bwrap, host),
  ]);
  if ("reason" in guards) return { available: false, ...guards };
  const about = {
    findings: guards,
    version: version.stdout.trim(),
    notes: oldroot ? [OLDROOT_NOTE] : [],
  };
  const always = [...missingUser(host), ...nesting, ...toolLimits.missing(host)];
  if (whole.exitCode === 0) return { available: true, ...about, missing: always };
  const base = await host.run(probeRun(bwrap, BASE), { fds: { 0: "filter" } });
  if (base.exitCode !== 0)
    return { available: false, reason: reasonOf(base.stderr), remedy: REMEDY };
  const missing = (await Promise.all(PARTS.map((part) => tryPart(bwrap, part, host)))).flat();
  return { available: true, ...about, missing: [...missing, ...always] };
}

/** bwrap maps a single id inside, whatever its number, to the id of the caller. */
function missingUser({ uid }: Host): Missing[] {
  if (uid !== 0) return [];
  const reason =
    "bwrap would give the program another number, and the files and the rights of root";
  const remedy =
    "Use the backend namespaces, or leave `user` out to run as root without capabilities.";
  return [{ capability: "user", reason, remedy }];
}

/** Tries a bwrap inside a bwrap. */
async function missingNesting(bwrap: string, host: Host): Promise<Missing[]> {
  const capability = "allow.user-namespaces";
  if (host.uid === 0)
    return [
      {
        capability,
        reason:
          "bwrap gives a program of root's the uid 0, which the kernel does not let it map into a user namespace",
        remedy: "Use the backend namespaces, with `user` set to another uid.",
      },
    ];
  const outer = [...BASE, "--unshare-user", "--proc", "/proc", ...maskInit("/proc")];
  const words = [...outer, "--", bwrap, "--unshare-user", "--ro-bind", "/", "/"];
  const { exitCode, stderr } = await host.run(probeRun(bwrap, words), { fds: { 0: "filter" } });
  if (exitCode === 0) return [];
  return [{ capability, reason: `it does not work here: ${reasonOf(stderr)}`, remedy: REMEDY }];
}

/** The options that every run needs. */
const BASE = [
  "--die-with-parent",
  "--unshare-pid",
  "--cap-drop",
  "ALL",
  "--clearenv",
  "--seccomp",
  "0",
  "--ro-bind",
  "/",
  "/",
];

/** The other options, by the capability that is missing when they fail. */
const PARTS: readonly (readonly [Capability, readonly string[]])[] = [
  ["isolate.user", ["--unshare-user", "--disable-userns"]],
  ["isolate.ipc", ["--unshare-ipc"]],
  ["isolate.uts", ["--unshare-uts", "--hostname", "sandbox"]],
  ["isolate.cgroup", ["--unshare-cgroup"]],
  ["network.none", ["--unshare-net"]],
  ["mount.proc", ["--proc", "/proc", ...maskInit("/proc")]],
  ["mount.dev", ["--dev", "/dev"]],
  ["mount.tmpfs.size", ["--perms", "1777", "--size", "65536", "--tmpfs", "/tmp"]],
];

const REMEDY =
  "bwrap needs user namespaces: run `sandboxlib doctor` to learn what forbids them here (a sysctl, AppArmor, or a seccomp profile around this process).";

const OLDROOT_NOTE =
  "This bwrap follows symlinks of a root out to the host when it makes mount points (CVE-2026-87766). Runs are guarded: every mount target is resolved inside the root and must exist. Update to bubblewrap 0.12.0 or a patched build.";

async function tryPart(
  bwrap: string,
  [capability, options]: (typeof PARTS)[number],
  host: Host,
): Promise<Missing[]> {
  const { exitCode, stderr } = await host.run(probeRun(bwrap, [...BASE, ...options]), {
    fds: { 0: "filter" },
  });
  if (exitCode === 0) return [];
  return [{ capability, reason: `bwrap cannot do it here: ${reasonOf(stderr)}`, remedy: REMEDY }];
}

/** A run that only tries options. Its program is bwrap, which is certain to be there. It reports as in a real run. */
function probeRun(bwrap: string, options: readonly string[]): Argv {
  return [bwrap, "--json-status-fd", "2", ...options, "--", bwrap, "--version"];
}

function reasonOf(stderr: string): string {
  return /^bwrap: (.*)$/m.exec(stderr)?.[1] ?? "it fails without a reason";
}
