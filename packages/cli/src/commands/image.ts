import { buildOci, inspectImage } from "@sandboxlib/image";
import { CliError } from "../cli-error.js";
import { assertUsable, type CommandLine, valueOf } from "../command-line.js";
import { hostPath } from "../host-path.js";
import { imageOptions } from "../image-options.js";
import { interruptible } from "../interrupted.js";
import type { Io } from "../io.js";
import { printable, printableJson } from "../printable.js";
import { progressOn } from "../progress.js";
import { see } from "../see.js";

/** Says what an image is, or makes one. */
export async function image(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  const [verb, file, ...more] = line.program;
  const problem = (text: string): CliError => new CliError(text, { hint: see("image") });
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
  const progress = progressOn(stderr, file);
  const { signal, during } = interruptible();
  const told = { onProgress: progress.tell, onWait: progress.wait, signal };
  const options = { ...imageOptions(line), ...told };
  const opened = await during(async () => inspectImage(hostPath(file), options)).finally(
    progress.end,
  );
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
  const output = valueOf(line, "output");
  if (output === undefined) throw new CliError("--output: is missing: where is the image to be?");
  const [from, to] = [hostPath(directory), hostPath(output)];
  const { platform, tag } = imageOptions(line);
  const digest = aci ? await buildAci(from, to) : await buildOci(from, to, { platform, tag });
  stdout.write(`${digest}\n`);
}

async function buildAci(from: string, to: string): Promise<string> {
  return (await import("@sandboxlib/image-appc")).buildAci(from, to);
}
