import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createSandbox } from "@sandboxlib/core";
import { compileSeccomp } from "@sandboxlib/seccomp";
import { atMost } from "../budget.mjs";
import { succeeds, unlessUnavailable } from "../contenders/library.mjs";

const PYTHON = "/usr/bin/python3";
const PACKAGE = join(import.meta.dirname, "../../packages/seccomp");
const CALLS = ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=300000", "status=none"];
const PROFILES = ["default", "none"];

/** What the default profile costs: in calls, in a launch, and in the kernel's time to load it. */
export async function seccompSeries(rounds) {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
  const [loads, end] = loaders(directory);
  const ready = await Promise.all(PROFILES.map(async (seccomp) => [seccomp, await make(seccomp)]));
  const skipped = Object.fromEntries(
    ready.flatMap(([name, made]) => ("skipped" in made ? [[name, made.skipped]] : [])),
  );
  const runs = (argv) =>
    Object.fromEntries(
      ready.flatMap(([name, { maker }]) =>
        maker === undefined ? [] : [[name, () => succeeds(maker.run(argv))]],
      ),
    );
  return {
    name: "seccomp",
    title: "Profiles of system calls on namespaces, and how long the kernel takes to load a filter",
    unit: "ms, and µs to load",
    points: [
      { label: "600,000 calls of dd", rounds: Math.ceil(rounds / 5), runs: runs(CALLS) },
      { label: "/bin/true", rounds, runs: runs(["/bin/true"]) },
      { label: "to load the same profile", rounds: Math.ceil(rounds / 5), runs: loads },
    ],
    skipped,
    budgets: (calls, launch, load) => [
      atMost(calls, "default", "none", 1.03),
      atMost(launch, "default", "none", 1.05),
      atMost(load, "ours", "libseccomp's tree", 0.5),
    ],
    close: () => {
      end();
      rmSync(directory, { recursive: true });
    },
  };
}

function make(seccomp) {
  return unlessUnavailable(async () => ({
    maker: await createSandbox({ cwd: "/", seccomp }, { backend: "namespaces" }),
  }));
}

/** Denies some calls, and looks at the arguments of two: what Docker's profile does, for one ABI. */
function profile() {
  const table = readFileSync(join(PACKAGE, "src/table.ts"), "utf8");
  const denied =
    /^(acct|add_key|bpf|clone3|delete_module|finit_module|fsopen|init_module|io_uring.*|kcmp|kexec.*|keyctl|mount.*|move_.*|open_by_.*|open_tree|perf_.*|pivot_root|ptrace|quotactl|reboot|request_key|setns|swap.*|syslog|umount2|unshare|userfaultfd|socket|personality)$/;
  const names = [...table.matchAll(/^(\w+) (\d+) /gm)]
    .filter(([, name, number]) => Number(number) < 440 && !denied.test(name))
    .map(([, name]) => name);
  const action = "SCMP_ACT_ALLOW";
  const args = (op, values) => values.map((value) => ({ action, args: [{ index: 0, value, op }] }));
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [
      { names, action },
      ...args("SCMP_CMP_EQ", [1, 2, 10, 16]).map((rule) => ({ names: ["socket"], ...rule })),
      ...args("SCMP_CMP_EQ", [0, 8, 0x2_0000]).map((rule) => ({ names: ["personality"], ...rule })),
    ],
  };
}

/** Runs that measure themselves, and what ends their processes. None without python3-seccomp. */
function loaders(directory) {
  if (spawnSync(PYTHON, ["-c", "import seccomp"]).status !== 0) return [{}, () => undefined];
  const theirs = execFileSync(PYTHON, [join(PACKAGE, "test/libseccomp.py")], {
    input: `${JSON.stringify({ ...profile(), optimize: 2 })}\n`,
    encoding: "utf8",
  });
  const filters = {
    ours: compileSeccomp(profile()).filter,
    "libseccomp's tree": Buffer.from(theirs.trim(), "hex"),
  };
  const children = [];
  const runs = Object.entries(filters).map(([name, filter], index) => {
    const file = join(directory, `filter-${index}`);
    writeFileSync(file, filter);
    const script = join(import.meta.dirname, "load-filter.py");
    const child = spawn(PYTHON, [script, file], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const lines = createInterface(child.stdout);
    const load = async () => {
      child.stdin.write("\n");
      const [line] = await once(lines, "line");
      return Number(line);
    };
    return [name, load];
  });
  return [Object.fromEntries(runs), () => children.forEach((child) => child.stdin.end())];
}
