import bubblewrap from "@sandboxlib/backend-bubblewrap";
import { createSandbox } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { withinBudget } from "../budget.mjs";
import { bare } from "../spawn.mjs";

/**
 * A run of /bin/true in the default config: our backend against bwrap with the very same options, but for the filter.
 * What else guards a caller who owns bwrap or the devices, as root does, is ours to pay.
 */
export async function bubblewrapSeries(rounds) {
  const title =
    "bubblewrap: launch /bin/true, default config (everything isolated, read-only host root)";
  const probe = await bubblewrap.probe(realHost());
  if (!probe.available) return { title, points: [], skipped: { bwrap: probe.reason } };
  const sandbox = await createSandbox(
    { command: ["/bin/true"], cwd: "/" },
    { backend: bubblewrap },
  );
  const options = sandbox.plan.fds[3].data.split("\0").slice(0, -1);
  options.splice(options.indexOf("--seccomp"), 2);
  const tool = [realHost().which("bwrap"), ...options, "--", "/bin/true"];
  return {
    title,
    unit: "ms",
    points: [
      {
        rounds,
        runs: {
          "bare bwrap": () => bare(tool),
          "sandboxlib, bubblewrap": () => sandbox.run(),
        },
      },
    ],
    skipped: {},
    budgets: (figures) => [withinBudget(figures, "sandboxlib, bubblewrap", "bare bwrap", 0.1, 0.3)],
  };
}
