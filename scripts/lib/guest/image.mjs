import { execFileSync, spawnSync } from "node:child_process";
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

const checkout = join(import.meta.dirname, "../../..");
const unused = [
  "./.git",
  ".turbo",
  "./docs",
  "./benchmarks",
  ...[
    "@biomejs+*",
    "@oxlint*",
    "@turbo+*",
    "typescript@*",
    "@typescript+*",
    "prettier@*",
    "knip@*",
  ].map((name) => `./node_modules/.pnpm/${name}`),
];
/** Programs of this host that the guest has too, with their libraries. */
const programs = [process.execPath, "/usr/bin/bwrap", "/usr/bin/prlimit", "/usr/bin/perl"];
/** Of the user in the guest. */
const TESTER = 1000;

/** Makes the disks of the guest: the root, and one for swap. */
export function buildImages(directory, tests) {
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
  addCheckout(join(root, "checkout"));
  for (const addon of addonsIn(join(root, "checkout"))) addLibraries(root, addon);
  writeFileSync(
    join(root, "etc/passwd"),
    `root:x:0:0::/root:/bin/sh\ntester:x:${TESTER}:${TESTER}::/tmp:/bin/sh\n`,
  );
  writeFileSync(join(root, "etc/group"), `root:x:0:\ntester:x:${TESTER}:\n`);
  writeFileSync(join(root, "etc/guest-tests"), tests.join("\n"));
  copyFileSync(join(import.meta.dirname, "init.sh"), join(root, "sbin/init"));
  chmodSync(join(root, "sbin/init"), 0o755);
  const disk = join(directory, "root.img");
  execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", root, "-m", "0", disk, "2G"]);
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
  for (const name of execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n"))
    if (name !== "" && name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
}

function addProgram(root, file) {
  const at = join(root, "usr/bin", file.slice(file.lastIndexOf("/") + 1));
  copyFileSync(realpathSync(file), at);
  chmodSync(at, 0o755);
  addLibraries(root, file);
}

function addLibraries(root, file) {
  const { stdout: said } = spawnSync("ldd", [file], { encoding: "utf8" });
  for (const [, library] of said.matchAll(/(?:^|=>)\s+(\/\S+) \(0x/gm)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
}

/** Of what vitest is made of. */
function addonsIn(directory) {
  const names = execFileSync("find", [directory, "-name", "*-gnu*.node"], { encoding: "utf8" });
  return names.split("\n").filter(Boolean);
}

/** It belongs to the user, as vitest writes to it. */
function addCheckout(target) {
  mkdirSync(target);
  const packed = join(target, "..", "checkout.tar");
  const exclude = unused.map((path) => `--exclude=${path}`);
  execFileSync("tar", ["-C", checkout, ...exclude, "-cf", packed, "."]);
  execFileSync("tar", ["-C", target, "-xf", packed]);
  rmSync(packed);
  execFileSync("chown", ["-R", `${TESTER}:${TESTER}`, target]);
}
