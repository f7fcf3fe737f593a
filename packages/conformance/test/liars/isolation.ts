import { SandboxError } from "@sandboxlib/core";
import type { ToolPlan } from "@sandboxlib/core/backend";
import { makesMountPoints, obliging } from "../library-lies.js";
import { fromOwnFile, mounts, options, plansFor, says, unguarded } from "../lies.js";
import type { Liar } from "./liar.js";

const OWN_PROFILE =
  "system calls: a profile of the user's own holds, at the size at which the kernel looks";

/** Liars about networks, names, users and paths. */
export const ISOLATION: readonly Liar[] = [
  {
    does: "keeps the network",
    lie: () => plansFor(() => ({ network: "host" })),
    caughtBy: ["network: without", "attacks: on a sandbox with"],
  },
  {
    does: "never has a network",
    lie: () => plansFor(() => ({ network: "none" })),
    caughtBy: ["network: with the"],
  },
  {
    does: "insists on isolation",
    lie: () =>
      plansFor(({ isolate }) => {
        if (isolate.size > 0) return {};
        throw new SandboxError("CAPABILITY_UNSUPPORTED", "isolate: too little");
      }),
    caughtBy: ["namespaces: a config that isolates nothing"],
  },
  {
    does: "gives another host name",
    lie: () => plansFor(() => ({ hostname: "liar" })),
    caughtBy: ["namespaces: the host name"],
  },
  {
    does: "gives another user",
    lie: () => plansFor(() => ({ user: { uid: 7, gid: 7 } })),
    caughtBy: ["user: the program has"],
  },
  {
    does: "keeps root's powers",
    lie: () =>
      options((words) =>
        words
          .replace(/--cap-drop\0ALL\0|--unshare-user\0/g, "")
          .replace(/--uid\0\d+\0--gid\0\d+\0/, ""),
      ),
    caughtBy: ["user: a given user that", "powers"],
  },
  {
    does: "masks nothing of the host",
    lie: () => mounts((mount) => (mount.type === "mask" ? undefined : mount)),
    caughtBy: ["ways out: no cgroup", "ways out: no procfs"],
  },
  {
    does: "gives its programs no filter",
    lie: () => options((words) => without(words, "--seccomp", "5")),
    caughtBy: [
      "pid 1: of a sandbox cannot",
      "typing: nothing can be typed into a terminal that is standard input, in a run",
    ],
  },
  {
    does: "gives a profile of the user's own to nobody",
    lie: () =>
      plansFor(({ seccomp }) => (seccomp instanceof Uint8Array ? { seccomp: "build" } : {})),
    caughtBy: [`${OWN_PROFILE}, in a run`],
  },
  {
    does: "allows no user namespaces",
    lie: () =>
      plansFor(({ allow }) => (allow === undefined ? {} : { allow: [], seccomp: "build" })),
    caughtBy: ["user namespaces inside: a program makes"],
  },
  {
    does: "has nothing read-only where it allows user namespaces",
    lie: () =>
      plansFor(({ allow, mounts: asked }) =>
        allow === undefined
          ? {}
          : {
              rootReadOnly: false,
              mounts: asked.map((mount) =>
                mount.type === "bind" ? { ...mount, readOnly: false } : mount,
              ),
            },
      ),
    caughtBy: ["user namespaces inside: in a user namespace"],
  },
  {
    does: "loads no profile where it allows user namespaces",
    lie: () => options((words) => words, withBaseFilter),
    caughtBy: ["user namespaces inside: user namespaces inside open"],
  },
  {
    does: "always allows user namespaces",
    lie: () => options((words) => without(words, "--disable-userns")),
    caughtBy: ["user namespaces inside: no user namespace"],
  },
  {
    does: "shows its pid 1 in procfs",
    lie: () => options(showsInit),
    caughtBy: ["pid 1: of a sandbox has no memory"],
  },
  {
    does: "gives another user in name only",
    lie: () => says({}),
    caughtBy: ["user: a given user that is not root cannot write"],
  },
  {
    does: "lets the program at its own file",
    lie: () => options(showsInit, fromOwnFile),
    caughtBy: [
      "the host's programs and devices: no process",
      "the host's programs and devices: a program that is a link",
    ],
  },
  {
    does: "lets the program at the devices of the host",
    lie: () =>
      options(
        (words) => words.replaceAll("--ro-bind\0/dev/null", "--dev-bind\0/dev/null"),
        unguarded,
      ),
    caughtBy: [
      "the host's programs and devices: the mode",
      "the host's programs and devices: nor of",
    ],
  },
  {
    does: "takes every refusal back",
    lie: () => obliging(),
    caughtBy: [
      "terminals: one is refused",
      "looking commands up: the PATH",
      "commands: a run without",
      "cwd: a cwd that",
      "root: a root",
      "bind: a bind whose",
      "ways out: a bind",
      "mounts over mounts: a mount point that exists",
      "hostile roots: a mount target that",
      "hostile roots: a writable",
      "hostile roots: a hidden",
      "hostile roots: a symlink",
      "refusals: a config with a fault",
    ],
  },
  {
    does: "makes mount points that are missing",
    lie: makesMountPoints,
    caughtBy: ["hostile roots: a mount target below"],
  },
];

/** bwrap's options, each with a NUL behind it, without a few that follow each other. */
function without(words: string, ...left: readonly string[]): string {
  return words.replace(left.map((word) => `${word}\0`).join(""), "");
}

function withBaseFilter(plan: ToolPlan): ToolPlan {
  return { ...plan, fds: { ...plan.fds, 5: "filter" } };
}

function showsInit(words: string): string {
  return without(words, "--perms", "0111", "--tmpfs", "/proc/1", "--remount-ro", "/proc/1");
}
