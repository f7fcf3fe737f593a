// Runs a pod in namespaces of its own, as the command line does: starts itself again in them, and prints what became of
// the apps. An image is a directory of `manifest` and `rootfs`.
import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realHost } from "@sandboxlib/core";
import { parseManifest } from "../../dist/appc/image-manifest.js";
import { insideOf, SHARED, sharedNamespaces } from "../../dist/appc/namespaces.js";
import { parsePodManifest } from "../../dist/appc/pod-manifest.js";
import { runPod } from "../../dist/appc/run-pod.js";

const { backend, prefer, pod, images } = JSON.parse(process.argv[2]);
const share = sharedNamespaces(process.env);
if (share.length === 0) startAgain();
else await runInside();

function startAgain() {
  const again = [process.execPath, ...process.argv.slice(1)];
  const { argv, env } = insideOf(again, SHARED, realHost());
  const child = spawn(argv[0], argv.slice(1), {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  child.on("exit", (code) => process.exit(code ?? 1));
}

async function runInside() {
  const notes = [];
  const onNote = (note) => notes.push(note);
  const options = { backend, prefer, share, hasMetadata: true, openImage, ownRoot, run, onNote };
  const { apps, uuid } = await runPod(parsePodManifest(Buffer.from(JSON.stringify(pod))), options);
  const shown = apps.map(({ name, result, failed, after }) => ({
    name,
    result: shownOf(result),
    failed: shownOf(failed),
    after: after.map(shownOf),
  }));
  process.stdout.write(JSON.stringify({ apps: shown, uuid, notes }));
}

function shownOf(result) {
  if (result === undefined) return undefined;
  const [stdout, stderr] = [result.stdout, result.stderr].map((bytes) =>
    String(Buffer.from(bytes)),
  );
  return { exitCode: result.exitCode, signal: result.signal, stdout, stderr };
}

async function openImage({ id }) {
  const manifestBytes = readFileSync(join(images[id], "manifest"));
  const root = join(images[id], "rootfs");
  return { id, manifestBytes, manifest: parseManifest(manifestBytes), root };
}

async function ownRoot(image, config) {
  const root = mkdtempSync(join(tmpdir(), "sandboxlib-own-root-"));
  chmodSync(root, 0o755);
  cpSync(image.root, root, { recursive: true, verbatimSymlinks: true });
  for (const { target } of config.mounts) mkdirSync(join(root, target), { recursive: true });
  const remove = async () => rmSync(root, { recursive: true });
  return { config: { ...config, root }, [Symbol.asyncDispose]: remove };
}

function run(sandbox, argv, signal) {
  return sandbox.run(argv, { signal });
}
