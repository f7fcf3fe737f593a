import { spawn } from "node:child_process";
import chroot, { utilLinuxChroot } from "@sandboxlib/backend-chroot";
import { createSandbox } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { atMost, withinBudget } from "../budget.mjs";
import { bare } from "../spawn.mjs";

/**
 * What somebody would write for the default mounts: the root, proc, a small dev and tmp, in a mount namespace, with
 * chroot(8). It has no pid namespace, drops nothing and looks at nothing.
 */
const BY_HAND = `
mount --rbind / /mnt && mount -t proc proc /mnt/proc && mount -t tmpfs -o mode=0755 tmpfs /mnt/dev &&
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /mnt/dev &&
mount -t tmpfs -o mode=1777 tmpfs /mnt/tmp && exec chroot /mnt /bin/true`;

/** A run of /bin/true with the default mounts: both ways of our backend on Linux, and each beside the bare tools. */
export async function chrootSeries(rounds) {
  const title = "chroot: launch /bin/true on Linux, default mounts, pid and mount namespace";
  const host = realHost();
  const [ours, tools] = await Promise.all(
    [chroot, utilLinuxChroot].map((each) => each.probe(host)),
  );
  if (!tools.available) return { title, points: [], skipped: { chroot: tools.reason } };
  const made = ours.findings === undefined ? {} : { "sandboxlib, chroot": await sandbox(chroot) };
  const chained = await sandbox(utilLinuxChroot);
  const words = ["--mount", "--propagation", "private", "--", host.which("sh"), "-c", BY_HAND];
  return {
    title,
    unit: "ms",
    points: [
      {
        rounds,
        runs: {
          "unshare, mount(8), chroot(8)": () => bare([host.which("unshare"), ...words]),
          ...Object.fromEntries(Object.entries(made).map(([name, { run }]) => [name, () => run()])),
          "bare unshare, mount, setsid": () =>
            chain([...chained.plan.argv, "/bin/true"], chained.plan.env),
          "sandboxlib, chroot by util-linux": () => chained.run(),
          "chroot(8) alone, no mounts": () => bare(["/usr/sbin/chroot", "/", "/bin/true"]),
        },
      },
    ],
    skipped: {},
    budgets: (figures) => [
      atMost(figures, "sandboxlib, chroot", "unshare, mount(8), chroot(8)", 0.5),
      atMost(figures, "sandboxlib, chroot", "chroot(8) alone, no mounts", 1.5),
      withinBudget(
        figures,
        "sandboxlib, chroot by util-linux",
        "bare unshare, mount, setsid",
        0.1,
        0.3,
      ),
    ],
  };
}

function sandbox(backend) {
  const config = {
    command: ["/bin/true"],
    cwd: "/",
    writable: "all",
    network: "host",
    isolate: ["mount", "pid"],
  };
  return createSandbox(config, { backend });
}

/** The plan's tools as they are, with a pipe to report on and one that ends with the run. */
function chain([program, ...args], env) {
  return new Promise((resolve, reject) => {
    const stdio = ["ignore", "pipe", "pipe", "pipe", "pipe"];
    const child = spawn(program, args, { env, cwd: "/", stdio });
    for (const stream of [child.stdout, child.stderr, child.stdio[3]]) stream.resume();
    child.on("exit", () => child.stdio[4].destroy());
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`ended with ${code}`))));
  });
}
