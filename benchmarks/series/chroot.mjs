import { spawn } from "node:child_process";
import chroot from "@sandboxlib/backend-chroot";
import { createSandbox } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { withinBudget } from "../budget.mjs";
import { bare } from "../spawn.mjs";

/** A run of /bin/true with the default mounts: our backend against the same chain of util-linux tools, and chroot(8). */
export async function chrootSeries(rounds) {
  const title = "chroot: launch /bin/true on Linux, default mounts, pid and mount namespace";
  const probe = await chroot.probe(realHost());
  if (!probe.available) return { title, points: [], skipped: { chroot: probe.reason } };
  const config = {
    command: ["/bin/true"],
    cwd: "/",
    writable: "all",
    network: "host",
    isolate: [],
  };
  const sandbox = await createSandbox(config, { backend: chroot });
  return {
    title,
    unit: "ms",
    points: [
      {
        rounds,
        runs: {
          "bare unshare, mount, setsid": () =>
            chain([...sandbox.plan.argv, "/bin/true"], sandbox.plan.env),
          "sandboxlib, chroot": () => sandbox.run(),
          "chroot(8) alone, no mounts": () => bare(["/usr/sbin/chroot", "/", "/bin/true"]),
        },
      },
    ],
    skipped: {},
    budgets: (figures) => [
      withinBudget(figures, "sandboxlib, chroot", "bare unshare, mount, setsid", 0.1, 0.3),
    ],
  };
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
