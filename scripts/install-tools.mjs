// The tests run real tools. Where this machine lets us (root, apt-get) the missing ones are
// installed, so that "npm test" tests everything on a bare Debian; elsewhere it says what is
// missing. Whether a missing tool is a failure is for SANDBOXLIB_REQUIRE to decide, not for us.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { execaSync } from "execa";

const tools = [
  {
    name: "cc",
    debianPackages: ["gcc", "libc6-dev"],
    serves: "the tests of the launcher and of backend-namespaces",
  },
  { name: "bwrap", debianPackages: ["bubblewrap"], serves: "the tests of backend-bubblewrap" },
  ...["crun", "runc"].map((name) => ({
    name,
    debianPackages: [name],
    serves: "the tests of backend-oci",
  })),
  {
    name: "firejail",
    debianPackages: ["firejail"],
    serves: "the test of a backend that somebody else could have written",
  },
  {
    name: "busybox",
    debianPackages: ["busybox-static"],
    serves: "the tests that need a root directory of their own",
    // It is copied into an empty root directory, where a dynamic one finds no loader.
    usable: isStatic,
  },
  ...[
    ["tar", "tar"],
    ["flock", "util-linux"],
    ["bzip2", "bzip2"],
    ["xz", "xz-utils"],
    ["zstd", "zstd"],
    ["umoci", "umoci"],
    ["skopeo", "skopeo"],
    ["mksquashfs", "squashfs-tools"],
    ["sqfs2tar", "squashfs-tools-ng"],
    ["mkfs.erofs", "erofs-utils"],
    ["mmdebstrap", "mmdebstrap"],
  ].map(([name, debianPackage]) => ({
    name,
    debianPackages: [debianPackage],
    serves: "tests of images",
  })),
  { name: "tmux", debianPackages: ["tmux"], serves: "the tests of terminals" },
  { name: "make", debianPackages: ["make"], serves: "the guide to build tools" },
  ...["zsh", "fish"].map((name) => ({
    name,
    debianPackages: [name],
    serves: "the tests of completions",
  })),
  { name: "man", debianPackages: ["man-db"], serves: "the tests of the manual pages" },
  {
    name: "python3",
    debianPackages: ["python3-seccomp"],
    serves: "the tests of filters of system calls",
    usable: hasSeccomp,
  },
  { name: "time", debianPackages: ["time"], serves: "docs/accounting.md, which is measured" },
];

const directories = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

for (const tool of tools.filter(isMissing)) {
  if (!mayInstall() || !install(tool)) report(tool);
}

function isMissing({ name, usable = () => true }) {
  return !directories
    .map((directory) => `${directory}/${name}`)
    .some((path) => {
      return existsSync(path) && usable(path);
    });
}

function isStatic(path) {
  return !readFileSync(path).subarray(0, 4096).includes("/ld-");
}

function hasSeccomp() {
  const modules = "/usr/lib/python3/dist-packages";
  return existsSync(modules) && readdirSync(modules).some((name) => name.startsWith("seccomp."));
}

function mayInstall() {
  const allowed = process.env.SANDBOXLIB_NO_INSTALL !== "1";
  return allowed && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

function install(tool) {
  const names = tool.debianPackages;
  say(`installing ${names.join(" ")} with apt-get (SANDBOXLIB_NO_INSTALL=1 turns this off)`);
  const packages = ["install", "--yes", "--no-install-recommends", ...names];
  const installed = aptGet(packages) || (aptGet(["update"]) && aptGet(packages, "loud"));
  return installed && !isMissing(tool);
}

function aptGet(args, loud) {
  const { failed, stderr } = execaSync(
    "/usr/bin/apt-get",
    ["-qq", "-o", "DPkg::Lock::Timeout=60", ...args],
    { env: { DEBIAN_FRONTEND: "noninteractive" }, reject: false },
  );
  if (loud && failed) say(`apt-get failed: ${stderr.split("\n").at(-1)}`);
  return !failed;
}

function report({ name, debianPackages, serves }) {
  say(`${name} is missing (Debian: ${debianPackages.join(" ")}), so these are skipped: ${serves}`);
}

function say(line) {
  console.log(`install-tools: ${line}`);
}
