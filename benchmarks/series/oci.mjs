import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ociWith } from "@sandboxlib/backend-oci";
import { createSandbox } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { withinBudget } from "../budget.mjs";
import { bare } from "../spawn.mjs";

/**
 * A run of `true` in the default config: our backend against the runtime with the same mounts and namespaces, but
 * for what hides our own directory. Without a user namespace, which is ours to make.
 */
export async function ociSeries(rounds) {
  const title = "oci: launch true of busybox, default config but for `isolate.user`";
  const skipped = {};
  const runs = {};
  const compared = [];
  const directories = [];
  for (const name of ["crun", "runc"]) {
    const backend = ociWith(name);
    const probe = await backend.probe(realHost());
    if (!probe.available) skipped[name] = probe.reason;
    else if (probe.findings.isRootless) skipped[name] = "is compared as root";
    else {
      const isolate = ["mount", "pid", "ipc", "uts", "cgroup"];
      const config = { command: ["/usr/bin/busybox", "true"], cwd: "/", isolate };
      const sandbox = await createSandbox(config, { backend });
      const directory = bundleOf(sandbox.plan.ownDirectory);
      directories.push(directory);
      const command = bareRun(probe.findings, directory);
      try {
        await bare(command);
      } catch (error) {
        skipped[name] = error.message;
        continue;
      }
      runs[`bare ${name}`] = () => bare(command);
      runs[`sandboxlib, ${name}`] = () => sandbox.run();
      compared.push(name);
    }
  }
  return {
    title,
    unit: "ms",
    points: compared.length === 0 ? [] : [{ rounds, runs }],
    skipped,
    budgets: (figures) =>
      compared.map((name) => withinBudget(figures, `sandboxlib, ${name}`, `bare ${name}`, 0.1, 1)),
    close: () => {
      for (const directory of directories) rmSync(directory, { recursive: true });
    },
  };
}

/** The same bundle, whose program is the runtime's own pid 1: one that needs no loader, in the root inside the root. */
function bundleOf(entries) {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-oci-"));
  for (const { type, path, mode, data } of entries) {
    if (type === "directory") mkdirSync(join(directory, path), { mode });
    else writeFileSync(join(directory, path), data);
  }
  const config = JSON.parse(entries.find(({ path }) => path === "config.json").data);
  config.process.args = ["/root/usr/bin/busybox", "true"];
  config.mounts = config.mounts.filter(({ destination }) => !destination.includes("/sandboxlib-"));
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  return directory;
}

/** crun does not start by itself where there are cgroups of both versions: unmount `/sys/fs/cgroup/unified` around it. */
function bareRun({ program, options }, directory) {
  return [
    program,
    ...options,
    "--root",
    `${directory}/state`,
    "run",
    "--bundle",
    directory,
    "bench",
  ];
}
