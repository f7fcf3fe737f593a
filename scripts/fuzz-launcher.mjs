// Fuzzes the launcher's parser, all targets at once, starting from the committed corpus:
//   node scripts/fuzz-launcher.mjs --seconds 300
// With --keep, what was found goes into the corpus, minimized. A finding is a failure, and so is a
// machine where the fuzzer cannot be built.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa, execaSync } from "execa";

const home = resolve(import.meta.dirname, "../packages/launcher/fuzz");
const targets = ["setup", "command", "frames", "fds", "plan"];
// Longer than the longest path, so that too long ones are tried.
const limits = ["-max_len=8192", "-timeout=20"];

const { values } = parseArgs({
  options: { seconds: { type: "string" }, keep: { type: "boolean" } },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error("usage: fuzz-launcher.mjs --seconds N [--keep]");

installClang();
const scratch = mkdtempSync(join(tmpdir(), "sandboxlib-fuzz-"));
for (const target of targets) build(target);
const clean = (await Promise.all(targets.map(fuzz))).every(Boolean);
if (clean && values.keep) for (const target of targets) keep(target);
if (clean) rmSync(scratch, { recursive: true });
else process.exitCode = 1;

function installClang() {
  if (clangWorks() || process.env.SANDBOXLIB_NO_INSTALL === "1") return;
  if (process.getuid() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  console.log("fuzz-launcher: installing clang and libclang-rt-dev with apt-get");
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, stdio: "inherit", reject: false };
  const packages = ["--yes", "--no-install-recommends", "clang", "libclang-rt-dev"];
  for (const args of [["update"], ["install", ...packages]])
    execaSync("/usr/bin/apt-get", ["-qq", ...args], options);
}

/** The runtime of the sanitizers is a package of its own. */
function clangWorks() {
  const program = "int LLVMFuzzerTestOneInput(void) { return 0; }";
  const compile = "clang -fsanitize=fuzzer,address,undefined -xc -o /dev/null -";
  return !execaSync("sh", ["-c", compile], { input: program, reject: false }).failed;
}

function build(target) {
  mkdirSync(join(scratch, target));
  const args = [join(home, "build.sh"), target, join(scratch, `fuzz-${target}`)];
  if (!execaSync("sh", args, { stdio: "inherit", reject: false }).failed) return;
  rmSync(scratch, { recursive: true });
  throw new Error(`cannot build the target ${target}: it takes clang and its libFuzzer`);
}

/** True when nothing was found. New inputs go into the first directory, the corpus is only read. */
async function fuzz(target) {
  const crash = join(scratch, `${target}-`);
  const args = [
    ...limits,
    `-max_total_time=${seconds}`,
    `-artifact_prefix=${crash}`,
    "-print_final_stats=1",
    join(scratch, target),
    join(home, "corpus", target),
  ];
  const options = { stdio: ["ignore", "ignore", "pipe"], reject: false };
  const { failed, stderr: text } = await execa(join(scratch, `fuzz-${target}`), args, options);
  const [, runs] = /number_of_executed_units: *(\d+)/.exec(text) ?? [];
  const [, rate] = /average_exec_per_sec: *(\d+)/.exec(text) ?? [];
  const [edges, features] = [...text.matchAll(/ cov: (\d+) ft: (\d+)/g)].at(-1)?.slice(1) ?? [];
  console.log(`${target}: ${runs} runs, ${rate} a second, ${edges} edges, ${features} features`);
  // Without a single run there was nothing to find.
  if (!failed && Number(runs) > 0) return true;
  console.log(text.split("\n").slice(-60).join("\n"));
  console.log(`${target}: FAILED; the input that did it is ${crash}*, see above`);
  return false;
}

/** Every input of the corpus and of this run that adds anything, and no other. */
function keep(target) {
  const corpus = join(home, "corpus", target);
  const merged = join(scratch, `${target}-merged`);
  mkdirSync(merged);
  const from = [corpus, join(scratch, target)];
  const args = ["-merge=1", ...limits, merged, ...from];
  execaSync(join(scratch, `fuzz-${target}`), args, { stdio: "ignore" });
  rmSync(corpus, { recursive: true });
  cpSync(merged, corpus, { recursive: true });
  console.log(`${target}: ${readdirSync(corpus).length} inputs kept`);
}
