import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { isSandboxError, SandboxError } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { withImage } from "@sandboxlib/image";
import {
  insideOf,
  openAci,
  openFrom,
  type PodManifest,
  type PodOptions,
  type PodResult,
  parsePodManifest,
  podOf,
  runPod,
  SHARED,
  sharedNamespaces,
} from "@sandboxlib/image-appc";
import { type CommandLine, valueOf } from "./command-line.js";
import { chosenUser, configFileOf, configFromOptions } from "./config-from-options.js";
import { CliError, describeError } from "./errors.js";
import { type End, exitCodeOf } from "./exit-code.js";
import { type Io, printableJson } from "./output.js";
import { unpackingOf } from "./progress.js";
import { hostPath } from "./readers.js";
import { droppedLines, enforcedLines, noteLines } from "./report-run.js";
import { openResultFile } from "./result-file.js";
import { imageOptions, sandboxOptions } from "./sandbox-request.js";
import { type Forwarding, forwardSignals, ProgramGroup } from "./signals.js";

/**
 * Runs a pod, or an image with a metadata service, which is a pod of one app. A pod has namespaces of its own, and what
 * starts it must be inside them: this process starts itself once more there.
 */
export async function runPodLine(line: CommandLine, io: Io): Promise<End> {
  const share = sharedNamespaces(process.env);
  const signals = forwardSignals();
  try {
    if (share.length === 0) return await startInside(line, signals);
    const shared = isOnHost(line) ? SHARED : share;
    return await writeResult(line, signals, () => runInside(line, io, shared, signals));
  } finally {
    signals.stop();
  }
}

/** Runs this command line again, in the namespaces of the pod. */
async function startInside(line: CommandLine, signals: Forwarding): Promise<End> {
  const host = realHost();
  const shared = SHARED.filter((kind) => kind !== "network" || !isOnHost(line));
  const probe = await host.run(insideOf([host.which("true") ?? "/bin/true"], shared, host).argv);
  if (probe.exitCode !== 0) {
    const why = probe.stderr.trim().split("\n", 1)[0] ?? "";
    throw new SandboxError("BACKEND_UNAVAILABLE", `a pod gets no namespaces here: ${why}`, {
      hint: "`sandboxlib doctor` says whether namespaces can be had.",
    });
  }
  const again = [process.execPath, ...process.execArgv, "--", ...process.argv.slice(1)];
  const { argv, env } = insideOf(again, shared, host);
  const [program, ...args] = argv;
  const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, ...env } });
  signals.to(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (signal === null) return resolve(code ?? 0);
      const end = signals.endedBy({ outcome: "signaled", signal });
      resolve(end ?? 128 + constants.signals[signal]);
    });
  });
}

async function writeResult(
  line: CommandLine,
  signals: Forwarding,
  get: () => Promise<PodResult>,
): Promise<End> {
  const path = valueOf(line, "result-file");
  const file = path === undefined ? undefined : openResultFile(path, "--result-file");
  try {
    const result = await get();
    file?.write(printableJson(result));
    return endOf(result, signals);
  } catch (error) {
    file?.write(printableJson({ error: describeError(error) }));
    throw error;
  }
}

/** How the first app ended that did not succeed. */
function endOf({ apps }: PodResult, signals: Forwarding): End {
  const ends = apps.flatMap(({ result, failed }) => failed ?? result ?? []);
  return ends.map((one) => signals.endedBy(one) ?? exitCodeOf(one)).find((end) => end !== 0) ?? 0;
}

async function runInside(
  line: CommandLine,
  { stderr }: Io,
  share: PodOptions["share"],
  signals: Forwarding,
): Promise<PodResult> {
  assertNumbers(line);
  const file = await configFileOf(line);
  const { pod, openImage } = await podFrom(line, stderr);
  const group = new ProgramGroup();
  signals.to(group);
  const isQuiet = line.options.has("quiet");
  const stdin = pod.apps.length === 1 ? "inherit" : "discard";
  const result = await runPod(pod, {
    ...sandboxOptions(line),
    user: chosenUser(line, file),
    degrade: line.options.has("degrade"),
    hasMetadata: line.options.has("metadata-service"),
    share,
    isOnHost: isOnHost(line),
    openImage,
    amend: (config) => configFromOptions(line, file, (own) => withImage(config, own)).config,
    onNote: (note) => void (isQuiet || stderr.write(noteLines([note]))),
    onSandbox: (sandbox) => void (isQuiet || stderr.write(droppedLines(sandbox))),
    run: async (sandbox, argv, signal) =>
      group.add(sandbox.spawn(argv, { stdin, stdout: "inherit", stderr: "inherit", signal })),
  });
  if (line.options.has("verbose"))
    for (const { result: one } of result.apps)
      if (one !== undefined) stderr.write(enforcedLines(one));
  return result;
}

/** The apps of a pod have a root each, and a name may be another user in each of them. */
function assertNumbers(line: CommandLine): void {
  for (const name of ["uid", "gid"] as const) {
    const id = valueOf(line, name);
    if (typeof id !== "string") continue;
    throw new CliError(`--${name}: ${JSON.stringify(id)} is a name, and a pod takes numbers only`);
  }
}

async function podFrom(
  line: CommandLine,
  stderr: Io["stderr"],
): Promise<{ readonly pod: PodManifest; readonly openImage: PodOptions["openImage"] }> {
  const path = valueOf(line, "pod");
  const root = line.root ?? valueOf(line, "root");
  const options = imageOptions(line);
  if (path !== undefined) {
    const word = root ?? line.program[0];
    if (word !== undefined) throw new CliError(`${JSON.stringify(word)}: the pod says what to run`);
    const unpacking = unpackingOf(path, stderr);
    const open = openFrom({ ...options, ...unpacking.options });
    const openImage: PodOptions["openImage"] = (image) => unpacking.during(async () => open(image));
    return { pod: parsePodManifest(read(path)), openImage };
  }
  if (root === undefined)
    throw new CliError("--metadata-service: there is no image that could ask it");
  const unpacking = unpackingOf(root, stderr);
  const image = await unpacking
    .during(async () => openAci(hostPath(root), { ...options, ...unpacking.options }))
    .catch((error: unknown) => {
      if (!isSandboxError(error) || error.path !== "image") throw error;
      throw new CliError(`--metadata-service: ${error.message}`, {
        hint: "Only such an image can ask the service: leave the option out.",
      });
    });
  const pod = podOf(image.manifest, image.id, options.volumes ?? {});
  return { pod, openImage: async () => image };
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new CliError(`--pod: ${JSON.stringify(path)} cannot be read: ${code}`);
  }
}

function isOnHost(line: CommandLine): boolean {
  return valueOf(line, "network") === "host";
}
