import type { ResolvedMount } from "@sandboxlib/core/backend";
import { setsUp } from "../lasting-lies.js";
import type { Liar } from "./liar.js";

/** Liars whose launcher does not do what the receipt would say of it. */
export const RECEIPTS: readonly Liar[] = [
  {
    does: "has a launcher that hides nothing",
    lie: () => mounting((mount) => (mount.type === "mask" ? undefined : mount)),
    caughtBy: ["hidden: what lies", "hidden: a hidden file"],
  },
  {
    does: "has a launcher that mounts no tmpfs",
    lie: () => mounting((mount) => (mount.type === "tmpfs" ? undefined : mount)),
    caughtBy: ["tmpfs: a tmpfs is"],
  },
  {
    does: "has a launcher that forgets the size of a tmpfs",
    lie: () =>
      mounting(({ ...mount }) => {
        if (mount.type === "tmpfs") delete (mount as { size?: number }).size;
        return mount;
      }),
    caughtBy: ["tmpfs: a tmpfs holds"],
  },
  {
    does: "has a launcher that binds something else",
    lie: () =>
      mounting((mount) => (mount.type === "bind" ? { ...mount, source: "/usr/lib" } : mount)),
    caughtBy: ["bind: a directory"],
  },
  {
    does: "has a launcher whose read-only binds can be written through",
    lie: () => mounting((mount) => (mount.type === "bind" ? { ...mount, readOnly: false } : mount)),
    caughtBy: ["bind: a read-only"],
  },
  {
    does: "has a launcher that shows the host's processes and devices",
    lie: () =>
      mounting((mount) =>
        mount.type === "proc" || mount.type === "dev" ? { ...mount, ...hosts(mount.type) } : mount,
      ),
    caughtBy: ["proc: a procfs shows", "dev: there is no device"],
  },
  {
    does: "has a launcher that keeps the host's root, and leaves it writable",
    lie: () => setsUp((setup) => ({ ...setup, root: "/", rootReadOnly: false })),
    caughtBy: ["root: the program sees", "writable: nothing"],
  },
  {
    does: "has a launcher that makes few namespaces",
    lie: () => setsUp((setup) => ({ ...setup, namespaces: ["uts"] })),
    caughtBy: ["namespaces: isolate.ipc", "namespaces: isolate.cgroup", "network: without"],
  },
];

function mounting(edit: (mount: ResolvedMount) => ResolvedMount | undefined) {
  return setsUp((setup) => ({
    ...setup,
    mounts: setup.mounts.flatMap((each) => edit(each) ?? []),
  }));
}

function hosts(name: "proc" | "dev") {
  return { type: "bind", source: `/${name}`, kind: "directory", readOnly: true } as const;
}
