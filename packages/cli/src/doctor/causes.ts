import { existsSync, readFileSync } from "node:fs";
import type { Host } from "@sandboxlib/core";
import type { Finding } from "./finding.js";

type Cause = Pick<Finding, "cause" | "fix">;

/** Why user namespaces do not work: what the kernel, the distribution or whoever started this process forbids. */
export function userNamespaceCause({ uid }: Host, stderr: string): Cause {
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
  return around("seccomp=unconfined", "") ?? unknown(stderr);
}

/** Why a procfs cannot be mounted: the kernel refuses a new one where the one that is there is partly covered. */
export function procCause(_host: Host, stderr: string): Cause {
  return around("seccomp=unconfined", " --security-opt systempaths=unconfined") ?? unknown(stderr);
}

/** Why root cannot mount: it has not got the capability. */
export function mountCause(_host: Host, stderr: string): Cause {
  return around("apparmor=unconfined", " --cap-add SYS_ADMIN") ?? unknown(stderr);
}

const PROFILE =
  "sudo apt install apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict";

/** Files that Docker and Podman leave in what they start. */
const MARKERS = ["/.dockerenv", "/run/.containerenv"];

function around(option: string, more: string): Cause | undefined {
  if (!MARKERS.some((path) => existsSync(path))) return undefined;
  return {
    cause: "this system was started by Docker, Podman or the like, whose own rules forbid it",
    fix: `Start it with: --security-opt ${option}${more}`,
  };
}

function unknown(stderr: string): Cause {
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
