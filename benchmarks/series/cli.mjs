import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withinBudget } from "../budget.mjs";
import { bare } from "../spawn.mjs";

const BIN = fileURLToPath(new URL("../../node_modules/@sandboxlib/cli/bin/", import.meta.url));
const NODE = "node -e 0";
const RUN = "run-sandbox -- true";
const CONFIG = "run-sandbox --config FILE, of twenty fields";
const IMAGE = "run-sandbox IMAGE, in the cache";

/** Milliseconds that a run from the shell may take more than Node alone, and one of an image more than another one. */
const [MOST_MORE, MOST_MORE_FOR_IMAGE] = [30, 10];

/** What the command line adds to the start of Node itself. Every backend of the checkout is installed, and none is named. */
export async function cliSeries(rounds) {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
  const config = join(directory, "config.json");
  writeFileSync(config, JSON.stringify(TWENTY_FIELDS));
  const env = { XDG_CACHE_HOME: join(directory, "cache") };
  const line = (program, ...args) =>
    bare([process.execPath, join(BIN, `${program}.js`), ...args], env);
  const image = await smallImage(directory, line);
  return {
    title: "command line: start",
    unit: "ms",
    points: [
      {
        rounds: Math.ceil(rounds / 5),
        runs: {
          [NODE]: () => bare([process.execPath, "-e", "0"]),
          "sandboxlib --version": () => line("sandboxlib", "--version"),
          "sandboxlib --help": () => line("sandboxlib", "--help"),
          "sandboxlib schema": () => line("sandboxlib", "schema"),
          [RUN]: () => line("run-sandbox", "--", "true"),
          [CONFIG]: () => line("run-sandbox", "--config", config),
          [IMAGE]: () => line("run-sandbox", image, "/bin/busybox", "true"),
        },
      },
    ],
    skipped: {},
    budgets: (figures) => [
      ...["sandboxlib --version", "sandboxlib --help", RUN, CONFIG].map((name) =>
        withinBudget(figures, name, NODE, 0, MOST_MORE),
      ),
      withinBudget(figures, IMAGE, RUN, 0, MOST_MORE_FOR_IMAGE),
    ],
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

const TWENTY_FIELDS = {
  command: ["true"],
  root: "/",
  writable: ["/var/tmp"],
  hidden: ["/root"],
  mounts: [{ type: "tmpfs", target: "/mnt", size: 1_048_576 }],
  defaultMounts: true,
  cwd: "/",
  env: { PATH: "/usr/bin:/bin", LANG: "C" },
  inheritEnv: ["TERM"],
  network: "none",
  isolate: ["mount", "pid", "ipc", "uts", "user", "cgroup"],
  hostname: "build",
  limits: {
    wallTime: 60,
    cpuTime: 30,
    fileSize: 1_073_741_824,
    openFiles: 256,
    stack: 8_388_608,
    coreSize: 0,
  },
  stop: { signal: "SIGTERM", grace: 1 },
};

/** An image of one program, which a first run puts into the cache. */
async function smallImage(directory, line) {
  const root = join(directory, "root");
  mkdirSync(join(root, "bin"), { recursive: true });
  for (const name of ["proc", "dev", "tmp"]) mkdirSync(join(root, name));
  copyFileSync("/usr/bin/busybox", join(root, "bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  const image = join(directory, "image.tar");
  await line("sandboxlib", "image", "build", root, "--oci", "-o", image);
  await line("run-sandbox", image, "/bin/busybox", "true");
  return image;
}
