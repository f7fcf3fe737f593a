import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownedName } from "@sandboxlib/core/internal";
import type { Image } from "../image.js";
import { openCache } from "./directories.js";

/**
 * Chooses the notes about an image of which no earlier call has been told, and remembers them. People who run an image a
 * thousand times need not read a thousand times that it has lost its devices.
 */
export function untoldNotes(
  { key }: Pick<Image, "key">,
  notes: readonly string[],
): readonly string[] {
  if (key === "" || notes.length === 0) return notes;
  const file = join(openCache().images, key, "told");
  const told = new Set(read(file));
  const untold = notes.filter((note) => !told.has(hashOf(note)));
  if (untold.length > 0) write(file, [...told, ...untold.map(hashOf)]);
  return untold;
}

function hashOf(note: string): string {
  return createHash("sha256").update(note).digest("hex").slice(0, 16);
}

function read(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

function write(file: string, hashes: readonly string[]): void {
  const temporary = `${file}.${ownedName()}`;
  try {
    writeFileSync(temporary, hashes.join("\n"), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // The cache may be read-only or full. Then the notes are told again.
  }
}
