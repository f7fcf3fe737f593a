// What a user installs is the tarball, not the checkout: pack every publishable package and look
// at what is inside, with publint, attw and our own rules for a manifest.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = join(import.meta.dirname, "..");
const mandatory = ["description", "engines", "files", "license", "repository"];

const directory = mkdtempSync(join(tmpdir(), "sandboxlib-packages-"));
try {
  const tarballs = await pack(directory);
  const problems = [...checkRoot(), ...(await Promise.all(tarballs.map(checkTarball))).flat()];
  for (const problem of problems) console.error(`check-packages: ${problem}`);
  console.log(`check-packages: ${tarballs.length} packages, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function pack(destination) {
  // What is private is never published.
  const filters = ["--filter", "./packages/*", "--filter", "!@sandboxlib/test-support"];
  const args = ["--recursive", ...filters, "pack", "--json"];
  const { stdout } = await pnpm([...args, "--pack-destination", destination]);
  return [JSON.parse(stdout)].flat().map(({ filename }) => filename);
}

function pnpm(args) {
  const script = process.env.npm_execpath ?? "";
  return /pnpm\.c?js$/.test(script)
    ? execa(process.execPath, [script, ...args], { cwd: root })
    : execa("pnpm", args, { cwd: root });
}

function checkRoot() {
  const { packageManager, scripts } = readJson(join(root, "package.json"));
  return ["start", "test"]
    .filter((name) => !scripts[name].includes(` ${packageManager} `))
    .map((name) => `root: the script "${name}" does not use ${packageManager}`);
}

async function checkTarball(tarball) {
  const unpacked = `${tarball}.d`;
  mkdirSync(unpacked);
  await execa("tar", ["-xzf", tarball, "-C", unpacked]);
  const pkgDir = join(unpacked, "package");
  const manifest = readJson(join(pkgDir, "package.json"));
  const isProgram = manifest.name.startsWith("@sandboxlib/launcher-");
  const problems = [
    ...manifestProblems(manifest, pkgDir),
    ...(await publintProblems(manifest, pkgDir)),
    ...(isProgram ? programProblems(manifest, pkgDir) : await moduleProblems(manifest, tarball)),
  ];
  return problems.map((problem) => `${manifest.name}: ${problem}`);
}

function manifestProblems(manifest, pkgDir) {
  const missing = mandatory.filter((field) => manifest[field] === undefined);
  const absent = ["README.md", "LICENSE"].filter((file) => !existsSync(join(pkgDir, file)));
  const problems = [
    ...missing.map((field) => `no "${field}" in package.json`),
    ...absent.map((file) => `no ${file} in the tarball`),
  ];
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const ranges = { ...dependencies, ...optionalDependencies, ...peerDependencies };
  for (const [name, range] of Object.entries(ranges)) {
    if (/^(workspace|catalog|link|file):/.test(range)) problems.push(`${name} is ${range}`);
  }
  if (manifest.name.startsWith("@sandboxlib/backend-") && !isBackend(manifest.sandboxlib)) {
    problems.push('"sandboxlib" in package.json must have backend, apiVersion 1 and platforms');
  }
  return problems;
}

function isBackend({ backend, apiVersion, platforms } = {}) {
  return typeof backend === "string" && apiVersion === 1 && platforms?.length > 0;
}

// It holds a program for one kind of machine and no module. Without a compiler for that machine the
// program is not there; its own prepublishOnly script keeps such a package from being published.
function programProblems({ os, cpu }, pkgDir) {
  const program = join(pkgDir, "bin/sandboxlib-launcher");
  const { mode } = statSync(program, { throwIfNoEntry: false }) ?? { mode: 0o755 };
  return [
    ...(os === undefined || cpu === undefined ? ['no "os" or no "cpu" in package.json'] : []),
    ...((mode & 0o777) === 0o755 ? [] : [`the program has the mode ${mode.toString(8)}`]),
  ];
}

async function moduleProblems({ exports }, tarball) {
  return [
    ...(exports === undefined ? ['no "exports" in package.json'] : []),
    ...(await attwProblems(tarball)),
  ];
}

async function publintProblems(pkg, pkgDir) {
  const { messages } = await publint({ pkgDir, pack: false, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function attwProblems(tarball) {
  const attw = join(root, "node_modules/.bin/attw");
  const args = ["--profile", "esm-only", "--no-color", "--no-emoji", tarball];
  const { failed, stdout, message } = await execa(attw, args, { reject: false });
  return failed ? [`attw: ${stdout || message}`] : [];
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}
