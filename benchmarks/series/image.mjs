import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSandbox } from "@sandboxlib/core";
import { openImage, openImageSandbox } from "@sandboxlib/image";

const BUSYBOX = "/usr/bin/busybox";
const COMMAND = ["/bin/busybox", "true"];
const MOST_MORE = 2;
const MOST_RATIO = 1.5;

/** What an image costs over the same root as a directory, and its unpacking over tar(1). */
export async function imageSeries(rounds) {
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
  process.env.XDG_CACHE_HOME = join(directory, "cache");
  const root = smallRoot(join(directory, "root"));
  const small = packed(root, join(directory, "small.tar"));
  const large = packed("/usr/include", join(directory, "large.tar.gz"), "-z");
  const plain = packed("/usr/include", join(directory, "large.tar"));
  const backend = "namespaces";
  return {
    name: "image",
    title: "Images: a run of one that is in the cache, and unpacking (/usr/include)",
    unit: "ms",
    skipped: {},
    points: [
      {
        label: "run",
        rounds,
        runs: {
          "a directory": async () => {
            const sandbox = await createSandbox({ root, writable: "all" }, { backend });
            await sandbox.run(COMMAND);
          },
          // How soon it starts, and runs: what is removed afterwards keeps nobody waiting.
          "an image": async () => {
            const start = performance.now();
            const image = await openImage(small);
            const opened = await openImageSandbox(image, image.config, { backend });
            await opened.sandbox.run(COMMAND);
            const elapsed = performance.now() - start;
            await opened[Symbol.asyncDispose]();
            return elapsed;
          },
        },
      },
      unpacking("unpack, gzip", large, directory, rounds),
      unpacking("unpack", plain, directory, rounds),
    ],
    budgets: (runs, ...unpacked) => [
      within(runs["an image"].median - runs["a directory"].median),
      ...unpacked.map((each) => slower(each["an image"].median / each["tar -x"].median)),
    ],
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What is unpacked is removed again, which is not timed. */
function unpacking(label, file, directory, rounds) {
  const timed = async (to, work) => {
    const start = performance.now();
    await work();
    const time = performance.now() - start;
    rmSync(to, { recursive: true });
    return time;
  };
  return {
    label,
    rounds: Math.ceil(rounds / 40),
    runs: {
      "tar -x": () => {
        const to = mkdtempSync(join(directory, "tar-"));
        return timed(to, () => run("tar", "-x", "-f", file, "-C", to));
      },
      "an image": () => timed(process.env.XDG_CACHE_HOME, () => openImage(file)),
    },
  };
}

function within(more) {
  const text = `an image: ${more.toFixed(2)} ms more than a directory, at most ${MOST_MORE} ms`;
  return { text, holds: more <= MOST_MORE };
}

function slower(ratio) {
  const text = `unpacking: ${ratio.toFixed(2)} times tar -x, at most ${MOST_RATIO} times`;
  return { text, holds: ratio <= MOST_RATIO };
}

function smallRoot(directory) {
  for (const name of ["bin", "proc", "dev", "tmp"])
    mkdirSync(join(directory, name), { recursive: true });
  copyFileSync(BUSYBOX, join(directory, "bin/busybox"));
  chmodSync(join(directory, "bin/busybox"), 0o755);
  return directory;
}

function packed(directory, file, ...options) {
  run("tar", "-c", ...options, "-C", directory, "-f", file, ".");
  return file;
}

function run(program, ...args) {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}
