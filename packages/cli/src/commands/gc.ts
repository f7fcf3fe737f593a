import { gc as collect } from "@sandboxlib/core";
import type { Collected } from "@sandboxlib/image";
import { assertUsable, type CommandLine } from "../command-line.js";
import { type Io, printable, printableJson } from "../output.js";
import { removeDeadSessions } from "../session/dead.js";

/** Removes what killed runs have left on the host, and with `--all` the cached images that no run uses. */
export async function gc(line: CommandLine, { stdout, stderr }: Io): Promise<number> {
  assertUsable(line);
  const dryRun = line.options.has("dry-run");
  const { undone: runs, failed, unsure } = await collect({ dryRun });
  const sessions = await removeDeadSessions(dryRun);
  const undone = [...runs, ...sessions.map((path) => `rm ${path}`)];
  const images = await collectCache({ dryRun, keepImages: !line.options.has("all") });
  const exitCode = failed.length + images.failed.length === 0 ? 0 : 1;
  if (line.options.has("json")) {
    stdout.write(printableJson({ dryRun, undone, failed, unsure, images }));
    return exitCode;
  }
  const [undoing, removing] = dryRun ? ["would run: ", "would remove"] : ["", "removed"];
  for (const step of undone) stdout.write(`${undoing}${printable(step)}\n`);
  for (const failure of failed) stderr.write(`sandboxlib: ${printable(failure)}\n`);
  for (const left of unsure) stderr.write(`sandboxlib: decide yourself: ${printable(left)}\n`);
  for (const path of images.removed) stdout.write(`${removing} ${printable(path)}\n`);
  for (const path of images.kept) stdout.write(`in use: ${printable(path)}\n`);
  for (const failure of images.failed) stderr.write(`sandboxlib: ${printable(failure)}\n`);
  const lists = [undone, failed, unsure, images.removed, images.failed];
  if (lists.every(({ length }) => length === 0)) stdout.write("Nothing was left behind.\n");
  const { length } = images.unused;
  if (length > 0)
    stdout.write(`Kept images that no run uses: ${length}. \`gc --all\` removes them.\n`);
  return exitCode;
}

async function collectCache(options: {
  readonly dryRun: boolean;
  readonly keepImages: boolean;
}): Promise<Collected> {
  return (await import("@sandboxlib/image")).collectImages(options);
}
