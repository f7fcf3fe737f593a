import { buildOci, inspectImage } from "@sandboxlib/image";
import { assertUsable, type CommandLine, valueOf } from "../command-line.js";
import { CliError, seeHelp } from "../errors.js";
import { type Io, printable, printableJson } from "../output.js";
import { unpackingOf } from "../progress.js";
import { hostPath } from "../readers.js";
import { imageOptions } from "../sandbox-request.js";

/** Prints what an image is, or makes one of a directory. */
export async function image(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  const [verb, file, ...more] = line.program;
  const problem = (text: string): CliError => new CliError(text, { hint: seeHelp("image") });
  if (verb !== "inspect" && verb !== "build")
    throw problem(
      verb === undefined ? "inspect or build?" : `${JSON.stringify(verb)}: inspect or build?`,
    );
  if (file === undefined) throw problem(verb === "inspect" ? "FILE is missing" : "DIR is missing");
  if (more[0] !== undefined) throw problem(`${JSON.stringify(more[0])}: is one word too many`);
  await (verb === "inspect" ? inspect(line, file, io) : build(line, file, io));
  return 0;
}

async function inspect(line: CommandLine, file: string, { stdout, stderr }: Io): Promise<void> {
  const unpacking = unpackingOf(file, stderr);
  const options = { ...imageOptions(line), ...unpacking.options };
  const opened = await unpacking.during(async () => inspectImage(hostPath(file), options));
  const { format, digest, rootDirectory, config, notes, manifest } = opened;
  if (line.options.has("json")) {
    stdout.write(printableJson({ format, digest, rootDirectory, config, notes, manifest }));
    return;
  }
  const rows = [
    ["format", format],
    ["digest", digest],
    ["root", rootDirectory],
    ...Object.entries(config).map(([name, value]) => [name, JSON.stringify(value)]),
    ...notes.map((note) => ["note", note]),
  ];
  for (const [name = "", value = ""] of rows)
    stdout.write(`${name.padEnd(10)} ${printable(value)}\n`);
}

async function build(line: CommandLine, directory: string, { stdout }: Io): Promise<void> {
  const [aci, oci] = [line.options.has("aci"), line.options.has("oci")];
  if (aci === oci) throw new CliError("--aci or --oci: which of the two?");
  const to = valueOf(line, "output");
  if (to === undefined) throw new CliError("--output: is missing: where is the image to be?");
  const from = hostPath(directory);
  const { platform, tag } = imageOptions(line);
  const digest = aci ? await buildAci(from, to) : await buildOci(from, to, { platform, tag });
  stdout.write(`${digest}\n`);
}

async function buildAci(from: string, to: string): Promise<string> {
  return (await import("@sandboxlib/image-appc")).buildAci(from, to);
}
