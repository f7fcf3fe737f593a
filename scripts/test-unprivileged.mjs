// What works without root is tested without root: as root on Linux, the same tests run once more
// under a uid that owns nothing. It gets a copy of the checkout, since the checkout may lie below
// a directory that only root can enter.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { runVitest } from "./lib/vitest.mjs";

// No entry in /etc/passwd, and not 65534, which some file systems treat specially.
const nobody = { uid: 61234, gid: 61234 };
const root = dirname(import.meta.dirname);
// They do not depend on the uid: the kit's own tests, which show who it catches, the parsers', the compiler's, and where
// backends are looked for. And firejail takes no user without an entry in /etc/passwd.
const WITHOUT = [
  "**/firejail.slow.test.ts",
  "**/*liars.slow.test.ts",
  "**/honest.slow.test.ts",
  "**/describe.slow.test.ts",
  "**/writing-a-backend.test.ts",
  "**/discovery.slow.test.ts",
  "**/choose.test.ts",
  "**/new-backend.slow.test.ts",
  "**/parser-*.test.ts",
  "**/*fuzz.slow.test.ts",
  "**/libseccomp.slow.test.ts",
  "**/seccomp/test/compile.test.ts",
  "**/channel-*.test.ts",
];
// Never started by a test, and more than half of node_modules.
const unused = ["@biomejs+*", "@oxlint*", "@turbo+*"].map((name) => `./node_modules/.pnpm/${name}`);

if (process.platform !== "linux" || process.getuid() !== 0) {
  console.log("test-unprivileged: not root, so the tests have already run unprivileged");
} else {
  process.exitCode = await testUnprivileged();
}

async function testUnprivileged() {
  const directory = mkdtempSync("/tmp/sandboxlib-unprivileged-");
  let interrupted = false;
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  // Only so that a signal does not end this process before the copy is removed.
  for (const signal of signals) process.on(signal, () => (interrupted = true));
  try {
    chownSync(directory, nobody.uid, nobody.gid);
    const checkout = join(directory, "checkout");
    await copyCheckout(checkout);
    const node = usableNode(directory);
    console.log(`test-unprivileged: uid ${nobody.uid}, in a copy of the checkout`);
    if (interrupted) return 1;
    const args = [...WITHOUT.flatMap((files) => ["--exclude", files]), ...process.argv.slice(2)];
    return await runVitest({
      node,
      args,
      cwd: checkout,
      env: environment(checkout, node),
      ...nobody,
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function copyCheckout(target) {
  for (const path of [target, join(target, "home")]) {
    mkdirSync(path);
    chownSync(path, nobody.uid, nobody.gid);
  }
  const exclude = ["./.git", ".turbo", "./home", ...unused].map((path) => `--exclude=${path}`);
  const pack = spawn("tar", ["-C", root, ...exclude, "-cf", "-", "."], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Unpacked under the uid itself, so that every file belongs to it.
  const unpack = spawn("tar", ["-xf", "-"], {
    cwd: target,
    stdio: [pack.stdout, "inherit", "inherit"],
    ...nobody,
  });
  const [[packed], [unpacked]] = await Promise.all([once(pack, "exit"), once(unpack, "exit")]);
  // 1 says that a file has changed meanwhile, which somebody may well be doing.
  if (packed > 1 || unpacked !== 0) throw new Error("cannot copy the checkout");
}

// Node may lie where only root can reach it (below /root, say); then the copy gets its own.
function usableNode(directory) {
  const probe = spawnSync(process.execPath, ["--version"], { cwd: "/", ...nobody });
  if (probe.status === 0) return process.execPath;
  mkdirSync(join(directory, "bin"));
  const copy = join(directory, "bin", "node");
  copyFileSync(process.execPath, copy);
  return copy;
}

function environment(checkout, node) {
  const env = {
    PATH: `${dirname(node)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: join(checkout, "home"),
  };
  // chroot needs root, so it cannot be required here.
  const required = process.env.SANDBOXLIB_REQUIRE?.split(",") ?? [];
  const possible = required.filter((name) => name !== "chroot");
  if (possible.length > 0) env.SANDBOXLIB_REQUIRE = possible.join(",");
  for (const name of ["CI", "NO_COLOR", "SANDBOXLIB_LINUX_USER_CHROOT"]) {
    if (process.env[name] !== undefined) env[name] = process.env[name];
  }
  return env;
}
