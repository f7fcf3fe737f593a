import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { execaSync } from "execa";

const checkout = join(import.meta.dirname, "../../..");
/** The tests that run in the guest. */
const tests = [
  "packages/core/test/cgroup/group.test.ts",
  "packages/backend-namespaces/test/cgroup.test.ts",
  "packages/backend-bubblewrap/test/cgroup.test.ts",
];
/** Programs of this host that the guest has too, with their libraries. */
const programs = [process.execPath, "/usr/bin/bwrap", "/usr/bin/prlimit", "/usr/bin/perl"];
/** Of the user in the guest. */
const TESTER = 1000;

/** Makes the disks of the guest: the root, and one for swap. */
export function buildImages(directory) {
  const root = join(directory, "root");
  for (const name of [
    "bin",
    "sbin",
    "usr/bin",
    "etc",
    "proc",
    "sys",
    "dev",
    "tmp",
    "root",
    "var/run",
  ])
    mkdirSync(join(root, name), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
  addBusybox(root);
  for (const program of programs) addProgram(root, program);
  addTests(root);
  writeFileSync(
    join(root, "etc/passwd"),
    `root:x:0:0::/root:/bin/sh\ntester:x:${TESTER}:${TESTER}::/tmp:/bin/sh\n`,
  );
  writeFileSync(join(root, "etc/group"), `root:x:0:\ntester:x:${TESTER}:\n`);
  copyFileSync(join(import.meta.dirname, "init.sh"), join(root, "sbin/init"));
  chmodSync(join(root, "sbin/init"), 0o755);
  const disk = join(directory, "root.img");
  execaSync("mke2fs", ["-q", "-t", "ext4", "-d", root, "-m", "0", disk, "2G"]);
  rmSync(root, { recursive: true });
  const swap = join(directory, "swap.img");
  writeFileSync(swap, "");
  truncateSync(swap, 2 ** 28);
  return { root: disk, swap };
}

function addBusybox(root) {
  const busybox = realpathSync("/bin/busybox");
  copyFileSync(busybox, join(root, "bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  for (const name of execaSync(busybox, ["--list"], { lines: true }).stdout)
    if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
}

function addProgram(root, file) {
  const at = join(root, "usr/bin", file.slice(file.lastIndexOf("/") + 1));
  copyFileSync(realpathSync(file), at);
  chmodSync(at, 0o755);
  addLibraries(root, file);
}

function addLibraries(root, file) {
  const { stdout: said } = execaSync("ldd", [file], { reject: false });
  for (const [, library] of said.matchAll(/(?:^|=>)\s+(\/\S+) \(0x/gm)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
}

/** The tests as single files, what they import from here beside them, as they would find it in the repository. */
function addTests(root) {
  const target = join(root, "checkout");
  mkdirSync(join(target, "node_modules/@sandboxlib"), { recursive: true });
  const launchers = ["launcher", `launcher-linux-${process.arch}`];
  const names = ["core", "seccomp", "backend-namespaces", ...launchers];
  for (const name of names) {
    const at = join(target, "node_modules/@sandboxlib", name);
    execaSync("cp", ["-rL", join(checkout, "packages", name), at]);
    rmSync(join(at, "node_modules"), { recursive: true, force: true });
  }
  for (const test of tests) bundle(test, target);
  for (const name of ["tests.mjs", "as-user.mjs"])
    copyFileSync(join(import.meta.dirname, name), join(target, name));
  writeFileSync(join(target, "package.json"), '{ "type": "module" }');
}

function bundle(test, target) {
  const esbuild = join(checkout, "node_modules/.bin/esbuild");
  const out = join(target, test.replaceAll("/", "-").replace(/\.ts$/, ".js"));
  const own = join(import.meta.dirname, "vitest.mjs");
  execaSync(esbuild, [
    join(checkout, test),
    "--bundle",
    "--platform=node",
    "--format=esm",
    "--log-level=error",
    `--alias:vitest=${own}`,
    `--alias:@vitest/expect=${expectModule()}`,
    `--define:import.meta.dirname="${target}"`,
    `--outfile=${out}`,
  ]);
}

/** A part of vitest, which pnpm puts beside it. */
function expectModule() {
  const vitest = realpathSync(join(checkout, "node_modules/vitest"));
  return join(vitest, "../@vitest/expect/dist/index.js");
}
