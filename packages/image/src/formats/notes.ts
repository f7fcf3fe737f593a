import { shown } from "../invalid.js";
import type { Change, Report } from "../unpack/report.js";

/** Notes on how the files of an image were changed: one for each kind of change, over all layers. */
export function notesOf(all: readonly Report[], privileged: boolean): string[] {
  const notes = (Object.keys(TEXTS) as Change[]).flatMap((change) => {
    const found = all.flatMap(({ changes }) => changes.get(change) ?? []);
    const count = found.reduce((sum, each) => sum + each.count, 0);
    return count === 0 ? [] : [TEXTS[change](count, shown(found[0]?.first ?? ""))];
  });
  const owned = all.reduce((sum, { owners }) => sum + owners.size, 0);
  if (owned > 0 && !privileged)
    notes.push(`files of other users than root (${owned}) belong to you here, as all files do`);
  return notes;
}

const TEXTS: Readonly<Record<Change, (count: number, first: string) => string>> = {
  devices: (count, first) => `left out device nodes (${count}), such as ${first}`,
  setId: (count, first) => `took away setuid and setgid bits (${count}), such as that of ${first}`,
  bare: () =>
    "tar(1) unpacked it without a wall: no backend here keeps it from writing elsewhere, and only the names have been judged",
  powers: (count, first) => `left out capabilities of files (${count}), such as those of ${first}`,
  attributes: (count, first) =>
    `left out extended attributes and access control lists (of ${count}), such as those of ${first}`,
};
