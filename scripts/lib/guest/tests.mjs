// What runs in the guest: the tests of cgroups, as root and as a user with a delegated directory, and with one that is
// to hand its own cgroup on.
import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const CGROUP = "/sys/fs/cgroup";
const TESTER = 1000;
const named = readFileSync("/etc/guest-tests", "utf8").split("\n").filter(Boolean);
const files =
  named.length > 0
    ? named
    : ["packages/core/test/cgroup", "packages/backend-namespaces/test/cgroup"];

console.log("guest: controllers:", readFileSync(`${CGROUP}/cgroup.controllers`, "utf8").trim());
console.log(readFileSync("/proc/swaps", "utf8"));
const results = {
  "as root": vitest({}),
  "as a user, in a directory that root has given it": delegated("given", (directory) => ({
    SANDBOXLIB_TEST_CGROUP: directory,
  })),
  "as a user, in its own cgroup": delegated("scope", () => ({}), ""),
};
for (const [who, status] of Object.entries(results)) console.log(`guest: ${who}: status ${status}`);
process.exitCode = Object.values(results).every((status) => status === 0) ? 0 : 1;

function vitest(env, options = {}) {
  const args = [
    "--reporter=verbose",
    "--pool=threads",
    "--maxWorkers=1",
    "--testTimeout=240000",
    "--hookTimeout=240000",
  ];
  const { status } = spawnSync(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", ...args, ...files],
    {
      stdio: "inherit",
      env: { ...process.env, ...env, CI: "1", SANDBOXLIB_REQUIRE: "namespaces" },
      ...options,
    },
  );
  return status;
}

/** Gives a directory to the user, and runs the tests in `home` below it. */
function delegated(name, env, home = "/home") {
  const directory = `${CGROUP}/${name}`;
  mkdirSync(`${directory}${home}`, { recursive: true });
  for (const at of new Set([directory, `${directory}${home}`]))
    for (const file of ["", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"])
      chownSync(`${at}${file}`, TESTER, TESTER);
  const own = process.pid;
  // What is started from here starts there; root is moved back afterwards.
  writeFileSync(`${directory}${home}/cgroup.procs`, String(own));
  try {
    return vitest({ HOME: "/tmp", ...env(directory) }, { uid: TESTER, gid: TESTER });
  } finally {
    writeFileSync(`${CGROUP}/cgroup.procs`, String(own));
  }
}
