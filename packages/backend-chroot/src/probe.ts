import type { Capability } from "@sandboxlib/core";
import { type Host, type Missing, type Probe, toolLimits } from "@sandboxlib/core/backend";
// oxlint-disable-next-line no-restricted-imports -- The program of this backend is a package of its own.
import { findLauncher } from "@sandboxlib/launcher";
import { launcherMechanisms } from "./launcher.js";
import { linuxMechanisms } from "./linux.js";
import { STAGE } from "./setup.js";
import { FEW, FILL_DEV, found, LINUX_TOOLS, OPTIONS, searchPath, tmpfsOptions } from "./tools.js";

/** What the plan is to know of this host: the path of the launcher, where that makes the sandboxes. */
export interface Findings {
  readonly launcher: string;
}

/**
 * Lets the launcher try everything that a plan uses. Where there is none, or it cannot make such sandboxes, the tools of
 * util-linux are asked, and what they cannot do is missing.
 *
 * @param installed - The launcher that is installed with this package; another one in tests.
 */
export async function probeLauncher(
  host: Host,
  installed: ReturnType<typeof findLauncher> = findLauncher(),
): Promise<Probe<Findings>> {
  if (host.uid !== 0) return NO_ROOT;
  if ("reason" in installed) return withTools(host, installed);
  const { path, version } = installed;
  const { exitCode, stdout } = await host.run([path, "probe", "capabilities"]);
  const lacks = stdout.split("\n").flatMap(lackIn);
  const base = lacks.find(({ capability }) => capability === "base");
  if (base !== undefined || exitCode !== 0) {
    const reason = base?.reason ?? "the launcher does not run, or dies";
    return withTools(host, { reason, remedy: REMEDY });
  }
  return {
    available: true,
    findings: { launcher: path },
    version: `sandboxlib-launcher ${version}`,
    missing: lacks.flatMap(({ capability, reason }) =>
      isDeclared(capability) ? [{ capability, reason, remedy: REMEDY }] : [],
    ),
  };
}

/** A line of the launcher about what fails: a capability or `base`, the call and its errno, separated by tabs. */
function lackIn(line: string): { readonly capability: string; readonly reason: string }[] {
  const [capability = "", call, errno] = line.split("\t");
  if (call === undefined) return [];
  return [{ capability, reason: `the launcher cannot do it here: ${call}: errno ${errno}` }];
}

function isDeclared(word: string): word is Capability {
  return Object.hasOwn(launcherMechanisms, word);
}

async function withTools(
  host: Host,
  lack: { readonly reason: string; readonly remedy: string },
): Promise<Probe<Findings>> {
  const probe = await probeLinux(host);
  if (!probe.available) return probe;
  const missing = Object.keys(launcherMechanisms)
    .filter(isDeclared)
    .filter((capability) => linuxMechanisms[capability] === undefined)
    .map((capability) => ({ capability, ...lack }));
  return { ...probe, missing: [...(probe.missing ?? []), ...missing] };
}

/** Tries everything that a plan uses in one run. Only when that fails, each part is tried by itself. */
export async function probeLinux(host: Host): Promise<Probe<Findings>> {
  const unable = lacks(LINUX_TOOLS, host);
  if (unable !== undefined) return unable;
  if ((await tryPart(PARTS.map(([, part]) => part).join(" && "), host)) === undefined)
    return { available: true, missing: toolLimits.missing(host) };
  const reason = await tryPart(":", host);
  if (reason !== undefined) return { available: false, reason, remedy: REMEDY };
  const missing = PARTS.map(async ([capability, part]): Promise<Missing[]> => {
    const why = await tryPart(part, host);
    return why === undefined ? [] : [{ capability, reason: why, remedy: REMEDY }];
  });
  return {
    available: true,
    missing: [...(await Promise.all(missing)).flat(), ...toolLimits.missing(host)],
  };
}

/** What every chroot(8) supports. The other capabilities count only where they have been tested. */
const PORTABLE: ReadonlySet<Capability> = new Set(["root", "cwd", "exit.signal"]);

/**
 * Probes chroot(8). On systems other than Linux, where it has never been tested, only {@link PORTABLE} is not missing.
 */
export async function probePosix(
  host: Host,
  declared: ReadonlySet<Capability>,
): Promise<Probe<Findings>> {
  const unable = lacks(["chroot", "env", "mount", "umount"], host);
  if (unable !== undefined) return unable;
  const { exitCode, stderr } = await host.run([found("chroot", host), "/", found("env", host)]);
  if (exitCode !== 0) return { available: false, reason: stderr.trim(), remedy: REMEDY };
  if (host.platform === "linux") return { available: true, missing: toolLimits.missing(host) };
  const reason = `on ${host.platform} nobody has verified yet that this backend does it`;
  const missing = [...declared].filter((capability) => !PORTABLE.has(capability));
  return { available: true, missing: missing.map((capability) => ({ capability, reason })) };
}

/** The capabilities that may be missing, each with a shell command that tries it. */
const PARTS: readonly (readonly [Capability, string])[] = [
  ["mount.proc", `mount -cin -t proc -o ${OPTIONS.proc} proc $stage`],
  ["mount.tmpfs", `mount -cin -t tmpfs -o ${tmpfsOptions()} tmpfs $stage`],
  ["mount.tmpfs.size", `mount -cin -t tmpfs -o ${tmpfsOptions(65_536)} tmpfs $stage`],
  [
    "mount.dev",
    `mount -cin -t tmpfs -o ${OPTIONS.dev} tmpfs $stage && dev $stage && : >$stage/null`,
  ],
  ["user", "unshare --setgid 1 --setuid 1 -- true"],
];

/**
 * Runs the setup with `part` and a program that kills itself, whose signal setsid(1) must report.
 *
 * @returns why it fails; undefined when it works.
 */
async function tryPart(part: string, host: Host): Promise<string | undefined> {
  const script = `stage=${STAGE}; dev() { ${FILL_DEV}; }
    ${part} && cd / && mount -cin --rbind . $stage && cd -P $stage/ && mount -cin --move . / &&
    env --ignore-signal=CHLD cat </dev/null && exec setsid --fork --wait setpriv ${FEW.join(" ")} unshare --root . --wd / -- "$@"`;
  const [unshare, env, sh] = [found("unshare", host), found("env", host), found("sh", host)];
  const separate = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--"];
  const shell = [env, `PATH=${searchPath(host)}`, sh, "-c", script, "sh", sh, "-c", "kill -9 $$"];
  const { exitCode, stderr } = await host.run([unshare, ...separate, ...shell]);
  const [reason] = stderr.trim().split("\n");
  return exitCode === 9 ? undefined : reason || "a trial run failed and gave no reason";
}

function lacks(tools: readonly string[], host: Host): Probe<Findings> | undefined {
  if (host.uid !== 0) return NO_ROOT;
  const absent = tools.filter((tool) => host.which(tool) === undefined);
  if (absent.length === 0) return undefined;
  const reason = `${absent.join(", ")}: not found in the system's directories`;
  return { available: false, reason, remedy: "Install util-linux and coreutils." };
}

const NO_ROOT = {
  available: false,
  reason: "it needs root",
  remedy: "Run as root (sudo), or use the backend namespaces, which needs no root.",
} as const;
const REMEDY =
  "It takes the powers of root (CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_MKNOD) and util-linux 2.36 or newer: leave the sandbox around this process, or have it grant them.";
