// Compiles the launcher into the package for an architecture: `build.mjs arm64`; or another program that is linked with
// its runtime: `build.mjs arm64 SOURCES FILE`. Where that cannot be done, it says so and succeeds: the rest of the repository does without. A mistake in our own source
// is an error. For another architecture than this one it takes a cross compiler, if there is one.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const crossCompilers = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" };
const [
  arch = process.arch,
  sources = join(here, "src"),
  binary = join(here, "..", `launcher-linux-${arch}`, "bin/sandboxlib-launcher"),
] = process.argv.slice(2);
const isForeign = arch !== process.arch;
const compiler = isForeign ? crossCompilers[arch] : process.env["CC"] || "cc";

const flags = [
  "-std=gnu11",
  "-D_GNU_SOURCE",
  "-O2",
  "-static-pie",
  "-fPIE",
  "-Wall",
  "-Wextra",
  "-Wshadow",
  "-Wconversion",
  "-Werror",
  "-fstack-protector-strong",
  ...(arch === "x64" ? ["-mstack-protector-guard=global"] : []),
  // runtime/ has what the launcher uses of a libc, of which only the headers are needed.
  "-nostdlib",
  "-fno-builtin",
  "-fno-asynchronous-unwind-tables",
  "-U_FORTIFY_SOURCE",
  "-Wl,-z,noexecstack",
  "-Wl,-z,relro",
  "-Wl,--build-id=none",
  "-s",
];

build();

function build() {
  if (isNewer()) return;
  const missing = whatIsMissing();
  if (missing !== undefined) {
    if (!isForeign) console.log(`${basename(binary)}: not built, ${missing}`);
    return;
  }
  mkdirSync(dirname(binary), { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  const ordered = files(".c").sort((a, b) => a.localeCompare(b));
  const { status } = compile([...ordered, "-lgcc", "-o", unfinished], "inherit");
  if (status !== 0) {
    rmSync(unfinished, { force: true });
    process.exitCode = 1;
    return;
  }
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, binary); // whoever starts it meanwhile has the old one or the new one
}

function whatIsMissing() {
  if (process.platform !== "linux") return "this is not Linux";
  if (!(arch in crossCompilers)) return `there is none for ${arch}`;
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-build-"));
  try {
    const source = join(directory, "trial.c");
    writeFileSync(
      source,
      "#include <linux/openat2.h>\n#include <unistd.h>\nvoid _start(void) {}\n",
    );
    const trial = compile([source, "-lgcc", "-o", join(directory, "trial")], "ignore");
    if (trial.error) return `there is no C compiler ${compiler}`;
    if (trial.status !== 0) {
      return `${compiler} makes no static programs here, or lacks the headers of libc and kernel`;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function compile(words, stderr) {
  return spawnSync(compiler, [...flags, ...words], { stdio: ["ignore", "inherit", stderr] });
}

function files(end) {
  return [sources, join(here, "runtime")].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith(end))
      .map((name) => join(directory, name)),
  );
}

function isNewer() {
  if (!existsSync(binary)) return false;
  const all = [...files(".c"), ...files(".h"), fileURLToPath(import.meta.url)];
  const made = statSync(binary).mtimeMs;
  return all.every((source) => statSync(source).mtimeMs < made);
}
