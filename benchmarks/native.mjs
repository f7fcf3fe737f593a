import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSandbox } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";

const HOME = fileURLToPath(new URL("native/", import.meta.url));
const LAUNCHER = fileURLToPath(new URL("../packages/launcher/src/", import.meta.url));
/** The parts of the launcher that parse a plan and speak its protocol. */
const PROTOCOL = ["plan_file.c", "setup.c", "protocol.c", "command.c"].map(
  (name) => LAUNCHER + name,
);
const SOURCES = { spawn: ["spawn.c"], limit: ["limit.c"], serve: ["serve.c", ...PROTOCOL] };

/** Compiles programs of native/ into a directory of their own. */
export function native(names) {
  const cc = realHost().which("cc");
  if (cc === undefined) return { skipped: "there is no C compiler" };
  const directory = mkdtempSync(join(tmpdir(), "sandboxlib-bench-"));
  const close = () => rmSync(directory, { recursive: true });
  const programs = {};
  for (const name of names) {
    programs[name] = join(directory, name);
    const sources = SOURCES[name].map((source) => join(source.startsWith("/") ? "" : HOME, source));
    const options = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", `-I${LAUNCHER}`, "-o", programs[name]];
    const { status, stderr } = spawnSync(cc, [...options, ...sources], { encoding: "utf8" });
    if (status === 0) continue;
    close();
    return { skipped: `${cc} does not compile ${name}.c: ${stderr.trim().split("\n")[0]}` };
  }
  return { programs, directory, close };
}

/** Runs such a program, which prints the milliseconds that one launch took. */
export async function measured(argv) {
  const { exitCode, stdout, stderr } = await realHost().run(argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${stderr}`);
  return Number(stdout);
}

/** A plan for /bin/true in the default config, and the launcher that runs it. */
export async function planOf(config = {}) {
  const command = ["/bin/true"];
  const sandbox = await createSandbox({ command, cwd: "/", ...config }, { backend: "namespaces" });
  return { bytes: sandbox.planFile(), launcher: sandbox.plan.argv[0] };
}
