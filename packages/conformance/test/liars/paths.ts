import namespaces from "@sandboxlib/backend-namespaces";
import { setsUp } from "../lasting-lies.js";
import { makesMountPoints, obliging } from "../library-lies.js";
import { twoFaced } from "../lies.js";
import type { Liar } from "./liar.js";

/** Liars about mount points that the root lacks, about paths that change, and about ids. */
export const PATHS: readonly Liar[] = [
  {
    does: "makes the mount points in the root itself",
    lie: () => makesMountPoints(namespaces),
    mayEndIn: /^PATH_INVALID: mounts\[\d\]\.target: "\S+file" is a directory/,
    caughtBy: [
      "mount points: a bind on",
      "mount points: a tmpfs",
      "mount points: proc",
      "mount points: several",
      "mount points: a mount point is made in a read-only",
      "mount points: while",
      "mount points: a mount point that is missing",
    ],
  },
  {
    does: "covers the directory of a mount point with nothing in it",
    mayEndIn: /^PATH_INVALID: writable\[0\]: the path is not what it was/,
    lie: () =>
      setsUp((setup) => ({
        ...setup,
        mirrors: [],
        mounts: [
          ...setup.mirrors.map(({ target, path }) => ({
            type: "tmpfs" as const,
            target,
            path,
            create: false,
          })),
          ...setup.mounts,
        ],
      })),
    caughtBy: [
      "mount points: a mount point is made in the host",
      "beside a mount point that is made: everything",
      "beside a mount point that is made: a thousand",
      "beside a mount point that is made: nothing",
      "beside a mount point that is made: a listed",
      "beside a mount point that is made: symlinks",
    ],
  },
  {
    does: "hides nothing",
    lie: () =>
      setsUp((setup) => ({
        ...setup,
        mounts: setup.mounts.filter(({ type }) => type !== "mask"),
      })),
    caughtBy: ["beside a mount point that is made: a hidden"],
  },
  {
    does: "declares no mount points, and makes them",
    lie: () => obliging(twoFaced(["cwd", "root", "mount.bind"])),
    caughtBy: ["mount points: a mount point that the root lacks"],
  },
  {
    does: "maps no id but the program's own",
    lie: () =>
      setsUp((setup) => {
        const own = (id: number) => [{ inside: id, outside: id, count: 1 }];
        return { ...setup, idMap: { uids: own(setup.uid), gids: own(setup.gid) } };
      }),
    caughtBy: ["user: with a range"],
  },
  {
    does: "takes every refusal back, of ranges and changed paths too",
    lie: () => obliging(),
    caughtBy: ["swapped paths: a symlink that", "swapped paths: a source"],
  },
  {
    does: "takes every refusal of the launcher back",
    lie: () => obliging(setsUp((setup) => setup)),
    caughtBy: ["swapped paths: a symlink where", "user: a range"],
  },
];
