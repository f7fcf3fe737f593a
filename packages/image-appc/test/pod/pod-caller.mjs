// Runs a pod in namespaces of its own, as the command line does: starts itself again in them, and prints what became of
// the apps.
import { spawn } from "node:child_process";
import { realHost } from "@sandboxlib/core/backend";
import { parsePodManifest } from "../../dist/manifest/pod-manifest.js";
import { openFrom } from "../../dist/pod/images.js";
import { insideOf, SHARED, sharedNamespaces } from "../../dist/pod/namespaces.js";
import { runPod } from "../../dist/pod/run-pod.js";

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
  const openImage = openFrom({ images });
  const options = { backend, prefer, share, hasMetadata: true, openImage, run, onNote };
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

function run(sandbox, argv, signal) {
  return sandbox.run(argv, { signal });
}
