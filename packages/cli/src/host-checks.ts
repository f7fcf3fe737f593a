import { existsSync, readFileSync } from "node:fs";
import type { Host } from "@sandboxlib/core/backend";

/** The result of one check of the host. */
export interface CheckResult {
  /** What was tried, with a command by which the user can try it again. */
  readonly what: string;
  readonly works: boolean;
  /** Why it does not work. */
  readonly cause?: string;
  /** A command that makes it work, or other advice. */
  readonly fix?: string;
}

type Diagnosis = Pick<CheckResult, "cause" | "fix">;

interface Check {
  readonly what: string;
  /** The options of unshare(1). */
  readonly options: readonly string[];
  /** Why the check fails, given what unshare has written to standard error. */
  readonly diagnose: (host: Host, stderr: string) => Diagnosis;
}

const USER_NAMESPACE: Check = {
  what: "user namespaces, and mounts in them",
  options: ["--user", "--map-root-user", "--mount"],
  diagnose: diagnoseUserNamespace,
};

/** Only done where the check above succeeds: otherwise they would report the same cause again. */
const IN_USER_NAMESPACE: readonly Check[] = [
  {
    what: "network namespaces",
    options: ["--user", "--map-root-user", "--net"],
    diagnose: diagnoseUserNamespace,
  },
  {
    what: "pid namespaces with a procfs of their own",
    options: ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"],
    diagnose: diagnoseProc,
  },
];

const AS_ROOT: Check = { what: "mounts as root", options: ["--mount"], diagnose: diagnoseMount };

/** Tries the kernel features that sandboxes need, each in a process of its own that ends at once. */
export async function checkHost(host: Host): Promise<CheckResult[]> {
  if (host.platform !== "linux") return [];
  const unshare = host.which("unshare");
  if (unshare === undefined) {
    const cause = "unshare(1), which tries them, is not installed";
    return [
      { what: USER_NAMESPACE.what, works: false, cause, fix: "Install the package util-linux." },
    ];
  }
  const user = await check(host, unshare, USER_NAMESPACE);
  const more = [...(user.works ? IN_USER_NAMESPACE : []), ...(host.uid === 0 ? [AS_ROOT] : [])];
  return [user, ...(await Promise.all(more.map(async (one) => check(host, unshare, one))))];
}

async function check(
  host: Host,
  unshare: string,
  { what, options, diagnose }: Check,
): Promise<CheckResult> {
  const { exitCode, stderr } = await host.run([
    unshare,
    ...options,
    "--",
    host.which("true") ?? "/bin/true",
  ]);
  const shown = `${what} (unshare ${options.join(" ")} true)`;
  return exitCode === 0
    ? { what: shown, works: true }
    : { what: shown, works: false, ...diagnose(host, stderr.trim()) };
}

/** Looks for the setting of the kernel, the distribution or a container engine that forbids user namespaces. */
function diagnoseUserNamespace({ uid }: Host, stderr: string): Diagnosis {
  if (!existsSync("/proc/self/ns/user")) {
    return {
      cause: "this kernel was built without user namespaces",
      fix: "Boot a kernel with CONFIG_USER_NS.",
    };
  }
  if (setting("user/max_user_namespaces") === "0") {
    return {
      cause: "user.max_user_namespaces is 0",
      fix: "sudo sysctl -w user.max_user_namespaces=10000",
    };
  }
  if (uid !== 0 && setting("kernel/unprivileged_userns_clone") === "0") {
    return {
      cause: "kernel.unprivileged_userns_clone is 0",
      fix: "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    };
  }
  if (setting("kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return {
      cause:
        "AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)",
      fix: `For the tool of one backend, load a profile that allows it userns; Ubuntu has one for bwrap: ${PROFILE}. For all programs: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`,
    };
  }
  return inContainer("seccomp=unconfined", "") ?? unknownCause(stderr);
}

/** The kernel refuses a new procfs where parts of the existing one are masked, as in a container. */
function diagnoseProc(_host: Host, stderr: string): Diagnosis {
  return (
    inContainer("seccomp=unconfined", " --security-opt systempaths=unconfined") ??
    unknownCause(stderr)
  );
}

/** Root cannot mount without CAP_SYS_ADMIN. */
function diagnoseMount(_host: Host, stderr: string): Diagnosis {
  return inContainer("apparmor=unconfined", " --cap-add SYS_ADMIN") ?? unknownCause(stderr);
}

const PROFILE =
  "sudo apt install apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict";

/** Files that Docker and Podman make in their containers. */
const MARKERS = ["/.dockerenv", "/run/.containerenv"];

function inContainer(option: string, more: string): Diagnosis | undefined {
  if (!MARKERS.some((path) => existsSync(path))) return undefined;
  return {
    cause: "this system was started by Docker, Podman or the like, whose own rules forbid it",
    fix: `Start it with: --security-opt ${option}${more}`,
  };
}

function unknownCause(stderr: string): Diagnosis {
  return {
    cause: `the kernel refuses it${stderr === "" ? "" : `: ${stderr}`}`,
    fix: "Look for a seccomp profile, an LSM rule or a missing capability of whoever started this process.",
  };
}

function setting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, "utf8").trim();
  } catch {
    return undefined; // This kernel does not have it.
  }
}
