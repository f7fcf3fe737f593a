// The main job on real input, as `npm start` runs it: this repository's own core is compiled inside a sandbox that sees
// the host read-only, has no network, and can write to one directory. Whatever the installed backends cannot enforce
// on this machine is let go and said plainly.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSandbox, enforces, isSandboxError } from "@sandboxlib/core";

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
const out = mkdtempSync(join(tmpdir(), "sandboxlib-demo-"));

// Whoever reads may have seen enough, as in `npm start | head`; the directory is removed all the same.
process.stdout.on("error", () => undefined);

try {
  await demo();
} catch (error) {
  if (!isSandboxError(error)) throw error;
  console.error(
    `${error.code}: ${error.message}${error.hint === undefined ? "" : `\nhint: ${error.hint}`}`,
  );
  process.exitCode = 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}

async function demo() {
  const sandbox = await createSandbox(
    {
      cwd: repository,
      mounts: [
        { type: "bind", source: repository, target: repository, readOnly: true },
        { type: "bind", source: out, target: out },
      ],
    },
    { prefer: "all" },
  );
  console.log(`Compiling packages/core in a sandbox of the backend ${sandbox.backend} ...\n`);
  const project = join("packages", "core", "tsconfig.json");
  const compile = [
    process.execPath,
    tsc,
    "-p",
    project,
    "--outDir",
    out,
    "--tsBuildInfoFile",
    join(out, "info"),
    "--emitDeclarationOnly",
    "false",
  ];
  const result = await sandbox.run(compile, { stdout: "inherit", stderr: "inherit" });
  const files = readdirSync(out, { recursive: true }).filter((name) => name.endsWith(".js"));
  console.log(
    `  ${result.outcome} ${result.exitCode ?? ""}, ${files.length} modules, ${result.usage.wallTime.toFixed(2)} s\n`,
  );
  report(result.enforcement);
  await attempts(sandbox, enforces(result));
  if (result.exitCode !== 0 || files.length === 0) process.exitCode = 1;
}

function report({ enforced, dropped }) {
  console.log("Enforced:");
  for (const { capability, mechanism, known } of enforced) {
    console.log(
      `  ${capability.padEnd(20)} ${mechanism}${known === "verified" ? "  [read back from the kernel]" : ""}`,
    );
  }
  if (dropped.length > 0) console.log("\nNOT enforced on this machine:");
  for (const { capability, path, reason } of dropped)
    console.log(`  ${capability.padEnd(20)} ${path}: ${reason}`);
}

/** Tries to break out of what is enforced, and of nothing else: this is the host. */
async function attempts(sandbox, enforced) {
  const tries = [
    ["writable.paths", "write to /etc", "echo > /etc/sandboxlib-was-here"],
    ["network.none", "see a network interface", "grep -q -v -e lo: -e '|' /proc/net/dev"],
    [
      "isolate.pid",
      "see the process that started it",
      "cat /proc/[0-9]*/cmdline | grep -q 'exampl[e]s/demo'",
    ],
  ].filter(([capability]) => enforced.has(capability));
  if (tries.length > 0) console.log("\nThe same sandbox tries to:");
  for (const [, what, script] of tries) {
    const { exitCode } = await sandbox.run(["/bin/sh", "-c", script]);
    console.log(`  ${what.padEnd(34)} ${exitCode === 0 ? "IT COULD" : "it could not"}`);
    if (exitCode === 0) process.exitCode = 1;
  }
}
