// What runs in the guest: the tests of cgroups as root, as a user in a directory that root has given it, and as a user
// whose own cgroup is one to hand on.
import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const CGROUP = "/sys/fs/cgroup";
const TESTER = 1000;
const REQUIRED = "namespaces,bubblewrap";
const files = readdirSync("/checkout").filter((name) => name.endsWith(".test.js"));

console.log("guest: controllers:", readFileSync(`${CGROUP}/cgroup.controllers`, "utf8").trim());
const results = {
  "as root": test({}),
  "as a user, in a directory that root has given it": delegated("given", "/home", true),
  "as a user, in its own cgroup": delegated("scope", "", false),
};
for (const [who, ok] of Object.entries(results))
  console.log(`guest: ${who}: ${ok ? "ok" : "FAILED"}`);
process.exitCode = Object.values(results).every(Boolean) ? 0 : 1;

function test(env, options = {}) {
  return files
    .map((file) => {
      const { status } = spawnSync(process.execPath, [`/checkout/${file}`], {
        stdio: "inherit",
        env: { ...process.env, ...env, SANDBOXLIB_REQUIRE: REQUIRED },
        ...options,
      });
      return status === 0;
    })
    .every(Boolean);
}

/** Gives a directory to the user for each file, as a test hands on what is in it, and runs the test in `home` below it. */
function delegated(name, home, isNamed) {
  const status = files.map((file, index) => {
    const directory = `${CGROUP}/${name}-${index}`;
    mkdirSync(directory + home, { recursive: true });
    for (const at of new Set([directory, directory + home]))
      for (const entry of ["", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"])
        chownSync(at + entry, TESTER, TESTER);
    // A process that goes there before it becomes the test's: only what is in there, and nothing of root's, is handed on.
    const enter = `echo $$ > ${directory}${home}/cgroup.procs && exec "$@"`;
    const test = [process.execPath, "/checkout/as-user.mjs", `/checkout/${file}`];
    const own = { HOME: "/tmp", TESTER: String(TESTER), SANDBOXLIB_REQUIRE: REQUIRED };
    return spawnSync("/bin/sh", ["-c", enter, "sh", ...test], {
      stdio: "inherit",
      env: { ...process.env, ...own, ...(isNamed && { SANDBOXLIB_TEST_CGROUP: directory }) },
    }).status;
  });
  writeFileSync(`${CGROUP}/cgroup.procs`, String(process.pid));
  return status.every((each) => each === 0);
}
