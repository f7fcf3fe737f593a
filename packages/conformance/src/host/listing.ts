import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Every path below a directory, each with all that tells whether it was changed. */
export type Listing = ReadonlyMap<string, string>;

/** Lists a directory tree of the host; symlinks are not followed. */
export function list(directory: string): Listing {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    for (const name of readdirSync(join(directory, path))) {
      const child = `${path}/${name}`;
      const stat = lstatSync(join(directory, child));
      const about = [stat.mode.toString(8), stat.uid, stat.gid];
      if (stat.isDirectory()) visit(child);
      else about.push(stat.size, stat.mtimeMs);
      if (stat.isSymbolicLink()) about.push(readlinkSync(join(directory, child)));
      found.set(child, about.join(" "));
    }
  };
  visit("");
  return found;
}

/** What was added, removed or changed between two listings, but for what lies at or below the given paths. */
export function changes(before: Listing, after: Listing, allowed: readonly string[]): string[] {
  const isAllowed = (path: string): boolean =>
    allowed.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is || isAllowed(path)) return [];
    if (was === undefined) return [`${path} was added (${is})`];
    return [is === undefined ? `${path} is gone` : `${path} was changed from ${was} to ${is}`];
  });
}
