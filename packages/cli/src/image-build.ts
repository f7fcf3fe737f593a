import { type BuildReport, buildOci } from "@sandboxlib/image";
import { type CommandLine, valueOf, valuesOf } from "./command-line.js";
import { CliError } from "./errors.js";
import { type Origins, withOrigin } from "./origins.js";
import type { Io } from "./output.js";
import { workOn } from "./progress.js";
import { hostPath } from "./readers.js";
import { noteLines } from "./report-run.js";
import { imageOptions } from "./sandbox-request.js";

/** Makes an image of a directory, and prints its digest. */
export async function buildImage(
  line: CommandLine,
  [directory = ""]: readonly string[],
  { stdout, stderr }: Io,
): Promise<void> {
  const [aci, oci] = [line.options.has("aci"), line.options.has("oci")];
  if (aci === oci) throw new CliError("--aci or --oci: which of the two?");
  const to = valueOf(line, "output");
  if (to === undefined) throw new CliError("--output: is missing: where is the image to be?");
  if (aci) assertNoneOfOci(line);
  const from = hostPath(directory);
  const work = workOn(`packing ${directory}`, stderr);
  const report: BuildReport = {
    onNote: (note) => stderr.write(noteLines([note])),
    onProgress: work.onProgress,
    signal: work.signal,
  };
  const digest = await work.during(async () =>
    aci ? buildAci(from, to, report) : buildOf(line, from, to, report),
  );
  stdout.write(`${digest}\n`);
}

async function buildOf(
  line: CommandLine,
  from: string,
  to: string,
  report: BuildReport,
): Promise<string> {
  try {
    return await buildOci(from, to, { ...ociOptions(line), ...report });
  } catch (error) {
    throw withOrigin(error, ORIGINS);
  }
}

/** The options of this command, by what the library calls them. */
const ORIGINS: Origins = new Map([
  ["entrypoint", "--entrypoint"],
  ["command", "--cmd"],
  ["env", "--env"],
  ["user", "--user"],
  ["workingDirectory", "--cwd"],
  ["tag", "--tag"],
]);

async function buildAci(from: string, to: string, report: BuildReport): Promise<string> {
  return (await import("@sandboxlib/image-appc")).buildAci(from, to, report);
}

/** What the manifest of an App Container image says, which the caller has written. */
const OF_OCI = ["entrypoint", "cmd", "env", "user", "cwd", "platform", "tag"] as const;

function assertNoneOfOci(line: CommandLine): void {
  const name = OF_OCI.find((option) => line.options.has(option));
  if (name !== undefined)
    throw new CliError(`--${name}: is for --oci; with --aci, DIR/manifest says it`);
}

function ociOptions(line: CommandLine): Parameters<typeof buildOci>[2] {
  const { platform, tag } = imageOptions(line);
  const [entrypoint, command] = [valuesOf(line, "entrypoint"), valuesOf(line, "cmd")];
  const env = valuesOf(line, "env");
  return {
    platform,
    tag,
    user: valueOf(line, "user"),
    workingDirectory: valueOf(line, "cwd"),
    ...(entrypoint.length > 0 && { entrypoint }),
    ...(command.length > 0 && { command }),
    ...(env.length > 0 && { env: Object.fromEntries(env) }),
  };
}
