import { inspectImage, listImages, removeImages } from "@sandboxlib/image";
import { assertUsable, type CommandLine } from "../command-line.js";
import { CliError, seeHelp } from "../errors.js";
import { buildImage } from "../image-build.js";
import type { OptionName } from "../options.js";
import { type Io, printable, printableJson, table } from "../output.js";
import { unpackingOf } from "../progress.js";
import { hostPath } from "../readers.js";
import { assertNoRegistryName } from "../registry-name.js";
import { imageOptions } from "../sandbox-request.js";

/** Prints what an image is, makes one of a directory, or lists or removes those in the cache. */
export async function image(line: CommandLine, io: Io): Promise<number> {
  assertUsable(line);
  const [verb = "", ...words] = line.program;
  if (!isVerb(verb)) throw problem(verb === "" ? CHOICE : `${JSON.stringify(verb)}: ${CHOICE}`);
  const { takes, least, most, what, run } = VERBS[verb];
  const other = [...line.options.keys()].find((name) => !takes.includes(name));
  if (other !== undefined) throw problem(`--${other}: does not apply to \`image ${verb}\``);
  if (words.length < least) throw problem(`${what} is missing`);
  const extra = words[most];
  if (extra !== undefined) throw problem(`${JSON.stringify(extra)}: is one word too many`);
  await run(line, words, io);
  return 0;
}

const CHOICE = "inspect, build, ls or rm?";

function problem(text: string): CliError {
  return new CliError(text, { hint: seeHelp("image") });
}

/** What may follow `sandboxlib image`. */
interface Verb {
  readonly takes: readonly OptionName[];
  /** How many words there have to be, and may be. */
  readonly least: number;
  readonly most: number;
  /** What the first of them is. */
  readonly what: string;
  readonly run: (line: CommandLine, words: readonly string[], io: Io) => Promise<void> | void;
}

const OF_IMAGES = ["digest", "platform", "tag", "images", "max-size"] as const;
const OF_BUILDS = ["entrypoint", "cmd", "env", "user", "cwd", "platform", "tag"] as const;

const VERBS = {
  inspect: {
    takes: [...OF_IMAGES, "json", "verbose"],
    least: 1,
    most: 1,
    what: "FILE",
    run: inspect,
  },
  build: {
    takes: [...OF_BUILDS, "aci", "oci", "output", "verbose"],
    least: 1,
    most: 1,
    what: "DIR",
    run: buildImage,
  },
  ls: { takes: ["json", "verbose"], least: 0, most: 0, what: "", run: list },
  rm: { takes: ["verbose"], least: 1, most: Infinity, what: "FILE or DIGEST", run: remove },
} as const satisfies Readonly<Record<string, Verb>> as Readonly<Record<VerbName, Verb>>;

type VerbName = "inspect" | "build" | "ls" | "rm";

function isVerb(word: string): word is VerbName {
  return Object.hasOwn(VERBS, word);
}

async function inspect(
  line: CommandLine,
  [file = ""]: readonly string[],
  { stdout, stderr }: Io,
): Promise<void> {
  assertNoRegistryName(file);
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

function list(line: CommandLine, _words: readonly string[], { stdout }: Io): void {
  const images = listImages();
  if (line.options.has("json")) {
    stdout.write(printableJson(images));
    return;
  }
  if (images.length === 0) {
    stdout.write("There are no images in the cache.\n");
    return;
  }
  const rows = images.map(({ digest, format, size, unpacked, isUsed, source }) => [
    digest.slice(0, SHOWN),
    format,
    `${Math.ceil(size / MIB)} MiB`,
    unpacked.toISOString().slice(0, 16).replace("T", " "),
    isUsed ? "in use" : "",
    printable(source),
  ]);
  const heads = ["DIGEST", "FORMAT", "SIZE", "UNPACKED", "", "FROM"];
  stdout.write(`${table([heads, ...rows]).join("\n")}\n`);
}

/** So much of a digest is shown: its kind and twelve digits. */
const SHOWN = "sha256:".length + 12;
const MIB = 2 ** 20;

function remove(_line: CommandLine, words: readonly string[], { stdout }: Io): void {
  for (const word of words) {
    const isDigest = /^(sha(256:|512-))?[0-9a-f]+$/.test(word);
    for (const digest of removeImages(isDigest ? word : hostPath(word)))
      stdout.write(`removed ${printable(digest)}\n`);
  }
}
