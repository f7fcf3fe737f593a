import { dirname } from "node:path";
import { mounts, options, ownTmpfs, plansFor, withoutSelfBinds } from "../lies.js";
import { inEveryWay } from "../way-lies.js";
import type { Liar } from "./liar.js";

/** Liars about files and mounts. */
export const FILES: readonly Liar[] = [
  {
    does: "ignores cwd",
    lie: () => plansFor(() => ({ cwd: "/tmp" })),
    caughtBy: [
      "cwd: the program",
      "cwd: cwd is",
      "cwd: cwd may",
      "looking commands up: a command with a slash",
    ],
  },
  {
    does: "keeps the host's root",
    lie: () => plansFor(() => ({ root: "/" })),
    caughtBy: ["root: the program sees", "root: a directory with an odd name"],
  },
  {
    does: "shares the host's temporary files",
    lie: () =>
      mounts((mount) => (mount.type === "tmpfs" ? { ...mount, ...bound(mount.target) } : mount)),
    caughtBy: ["root: `..`", "root: no process"],
  },
  {
    does: "does not take the host's own root",
    lie: () => plansFor(({ root }) => (root === "/" ? { root: "/var/empty" } : {})),
    caughtBy: ["root: the host's own root"],
  },
  {
    does: "ignores that the root is read-only",
    lie: () => plansFor(() => ({ rootReadOnly: false })),
    caughtBy: [
      "writable: nothing",
      "writable: a sibling",
      "writable: a listed file",
      "writable: several",
      "writable: the host's",
    ],
  },
  {
    does: "makes everything read-only",
    lie: () =>
      plansFor(({ mounts: all }) => ({
        rootReadOnly: true,
        mounts: all.map((mount) => (mount.type === "bind" ? { ...mount, readOnly: true } : mount)),
      })),
    caughtBy: [
      "writable: a listed directory",
      "writable: with",
      "bind: a directory",
      "bind: a file of",
      "mounts over mounts: a path in a read-only",
    ],
  },
  {
    does: "makes a file system read-only without those mounted below it",
    lie: () =>
      options((words) =>
        words.replaceAll(/--ro-bind\0([^\0]*)\0([^\0]*)\0/g, "--bind\0$1\0$2\0--remount-ro\0$2\0"),
      ),
    caughtBy: ["writable: a file system", "bind: a file system"],
  },
  {
    does: "ignores hidden",
    lie: () => mounts((mount) => (mount.type === "mask" ? undefined : mount)),
    caughtBy: ["hidden"],
  },
  {
    does: "hides nothing that a bind shows",
    lie: () =>
      plansFor(({ mounts: all }) => ({
        mounts: all.filter(
          ({ type, target }) =>
            type !== "mask" ||
            !all.some((other) => other.type === "bind" && target.startsWith(`${other.target}/`)),
        ),
      })),
    caughtBy: ["hidden: what is hidden is so", "hidden: a path in a bind"],
  },
  {
    does: "never hides anything",
    lie: () => inEveryWay({ config: (config) => ({ ...config, hidden: [] }) }),
    caughtBy: [
      "paths that the host replaces: what takes the place of a hidden",
      "paths that the host replaces: what has",
    ],
  },
  {
    does: "lets what is read-only be written to",
    lie: () =>
      inEveryWay({
        config: ({ mounts: all = [], ...config }) => ({
          ...config,
          mounts: all.map((mount) =>
            mount.type === "bind" ? { ...mount, readOnly: false } : mount,
          ),
        }),
      }),
    caughtBy: ["paths that the host replaces: what takes the place of a read-only"],
  },
  {
    does: "lets directories above what is protected be renamed",
    lie: () => plansFor(({ mounts: all }) => ({ mounts: withoutSelfBinds(all) })),
    caughtBy: ["directories above what is protected"],
  },
  {
    does: "makes every bind writable",
    lie: () => mounts((mount) => (mount.type === "bind" ? { ...mount, readOnly: false } : mount)),
    caughtBy: ["bind: a read-only bind", "mounts over mounts: a read-only bind"],
  },
  {
    does: "takes a colon for the end of a path",
    lie: () =>
      mounts((mount) =>
        mount.type === "bind" ? { ...mount, source: mount.source.replace(/:.*/s, "") } : mount,
      ),
    caughtBy: ["many binds: names"],
  },
  {
    does: "mounts a hundred things at most",
    lie: () => plansFor(({ mounts: all }) => ({ mounts: all.slice(0, 100) })),
    caughtBy: ["many binds: two hundred"],
  },
  {
    does: "mounts the deepest first",
    lie: () => plansFor(({ mounts: all }) => ({ mounts: all.toReversed() })),
    caughtBy: ["mounts over mounts: a mount within", "mounts over mounts: a mount point is made"],
  },
  {
    does: "leaves binds out",
    lie: () => mounts((mount) => (mount.type === "bind" ? undefined : mount)),
    caughtBy: ["hostile roots: an absolute", "hostile roots: a link to /"],
  },
  {
    does: "leaves tmpfs, proc and dev out",
    lie: () =>
      mounts((mount) => (mount.type === "bind" || mount.type === "mask" ? mount : undefined)),
    caughtBy: [
      "tmpfs: a tmpfs is",
      "tmpfs: two runs",
      "proc: a procfs is",
      "dev: null",
      "dev: random",
      "dev: the links",
      "dev: dev",
      "mounts over mounts: a tmpfs",
    ],
  },
  {
    does: "has a directory of the run's own in the place of a tmpfs, and binds the host's",
    // What the kit clears away.
    lie: () => ownTmpfs(0o1777, (_, { root }) => dirname(root)),
    caughtBy: ["tmpfs: a tmpfs is", "tmpfs: two runs"],
  },
  {
    does: "has a directory of the run's own in the place of a tmpfs, with another mode",
    lie: () => ownTmpfs(0o755, (own) => own),
    caughtBy: ["tmpfs: a tmpfs can"],
  },
  {
    does: "ignores the size of a tmpfs",
    lie: () => mounts((mount) => (mount.type === "tmpfs" ? { ...mount, size: 1e9 } : mount)),
    caughtBy: ["tmpfs: a tmpfs holds"],
  },
  {
    does: "puts another device into dev",
    lie: () =>
      options((words) =>
        words.replace("--dev\0/dev\0", "--dev\0/dev\0--dev-bind\0/dev/null\0/dev/sda\0"),
      ),
    caughtBy: ["dev: there is no device"],
  },
];

function bound(path: string): { type: "bind"; source: string; readOnly: false; kind: "directory" } {
  return { type: "bind", source: path, readOnly: false, kind: "directory" };
}
