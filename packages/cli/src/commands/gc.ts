import { gc as collect } from "@sandboxlib/core";
import type { Collected } from "@sandboxlib/image";
import { assertUsable, type CommandLine } from "../command-line.js";
import { type Io, printable } from "../output.js";

/** Removes what killed runs have left on the host, and the cached images that no run uses. */
export async function gc(line: CommandLine, { stdout, stderr }: Io): Promise<number> {
  assertUsable(line);
  const { undone, failed, unsure } = await collect();
  const images = await collectCache();
  for (const step of undone) stdout.write(`${printable(step)}\n`);
  for (const failure of failed) stderr.write(`sandboxlib: ${printable(failure)}\n`);
  for (const left of unsure) stderr.write(`sandboxlib: decide yourself: ${printable(left)}\n`);
  for (const path of images.removed) stdout.write(`removed ${printable(path)}\n`);
  for (const path of images.kept) stdout.write(`in use: ${printable(path)}\n`);
  for (const failure of images.failed) stderr.write(`sandboxlib: ${printable(failure)}\n`);
  const lists = [undone, failed, unsure, images.removed, images.failed];
  if (lists.every(({ length }) => length === 0)) stdout.write("Nothing was left behind.\n");
  return failed.length + images.failed.length === 0 ? 0 : 1;
}

async function collectCache(): Promise<Collected> {
  return (await import("@sandboxlib/image")).collectImages();
}
