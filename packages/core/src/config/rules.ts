import type { Config } from "./types.js";

/** A rule between fields that a config breaks. */
export interface BrokenRule {
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** The broken rules between fields, each with the field to change. */
export function brokenRules(config: Config): BrokenRule[] {
  return RULES.flatMap((rule) => rule(config));
}

const RULES: readonly ((config: Config) => BrokenRule[])[] = [
  mountsHaveTargetsOfTheirOwn,
  rootIsNoMountTarget,
  hostnameNeedsUts,
  hiddenIsNotWritable,
  rangeHoldsUser,
  swapNeedsMemory,
  overlayIsWritten,
  nestingKeepsTheRest,
];

function mountsHaveTargetsOfTheirOwn({ mounts }: Config): BrokenRule[] {
  const seen = new Set<string>();
  return mounts.flatMap(({ target }, index) => {
    if (!seen.has(target)) {
      seen.add(target);
      return [];
    }
    const message = `another mount has the target ${JSON.stringify(target)} already`;
    return [{ path: `mounts[${index}].target`, message, hint: "Leave one of the two out." }];
  });
}

function rootIsNoMountTarget({ mounts }: Config): BrokenRule[] {
  const index = mounts.findIndex(({ target }) => target === "/");
  if (index === -1) return [];
  return [
    {
      path: `mounts[${index}].target`,
      message: "nothing can be mounted on `/`",
      hint: "Use `root`.",
    },
  ];
}

function hostnameNeedsUts({ hostname, isolate }: Config): BrokenRule[] {
  if (hostname === undefined || isolate.includes("uts")) return [];
  const message = "would rename the host, because `isolate` leaves out `uts`";
  return [{ path: "hostname", message, hint: "Add `uts` to `isolate`, or leave `hostname` out." }];
}

function hiddenIsNotWritable({ hidden, writable }: Config): BrokenRule[] {
  return hidden.flatMap((path, index) => {
    if (path === "/") {
      return [
        { path: `hidden[${index}]`, message: "hides everything", hint: "Name paths below `/`." },
      ];
    }
    if (writable === "all" || !writable.includes(path)) return [];
    const message = `${JSON.stringify(path)} is listed in \`writable\` too`;
    return [{ path: `hidden[${index}]`, message, hint: "Decide for one of the two." }];
  });
}

function rangeHoldsUser({ user, isolate }: Config): BrokenRule[] {
  if (user?.range === undefined) return [];
  const { uid, gid, range } = user;
  const path = "user.range";
  if (uid >= range || gid >= range) {
    const message = `${range} ids from 0 on do not include ${Math.max(uid, gid)}`;
    return [{ path, message, hint: "Raise it above `uid` and `gid`." }];
  }
  if (isolate.includes("user")) return [];
  return [{ path, message: "needs `user` in `isolate`", hint: "Add it, or leave `range` out." }];
}

function swapNeedsMemory({ limits }: Config): BrokenRule[] {
  if (limits.swap === undefined || limits.memory !== undefined) return [];
  const message = "is counted beside `limits.memory`, and there is none";
  return [{ path: "limits.swap", message, hint: "Set `limits.memory`, or leave `swap` out." }];
}

function overlayIsWritten({ overlay, root, writable }: Config): BrokenRule[] {
  if (overlay === undefined) return [];
  const path = "overlay";
  if (root === "/") {
    const message = "has no root to lie on: the host's own is made of more than one file system";
    return [{ path, message, hint: "Set `root`." }];
  }
  if (writable === "all") return [];
  return [{ path, message: "is never written", hint: 'Set `writable` to "all", or leave it out.' }];
}

/** What takes the place of the profile would not know what to keep from the program in its namespaces. */
function nestingKeepsTheRest({ allow, isolate, seccomp }: Config): BrokenRule[] {
  if (!allow.includes("user-namespaces")) return [];
  const path = "allow";
  if (!isolate.includes("user"))
    return [{ path, message: "needs `user` in `isolate`", hint: "Add it, or leave `allow` out." }];
  if (seccomp === undefined || seccomp === "default" || seccomp === "build") return [];
  const message = "widens the profiles `default` and `build`, and `seccomp` is neither";
  return [{ path, message, hint: 'Leave `seccomp` out, set it to "build", or leave `allow` out.' }];
}
