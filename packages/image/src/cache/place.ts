import { lstatSync, mkdirSync, realpathSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { invalidImage } from "../invalid.js";

/** The directories of the cache. */
export interface Place {
  /** Unpacked images, each in a directory that is renamed there when it is whole. */
  readonly images: string;
  /** By what a file looks like from outside: which image it is. */
  readonly seen: string;
  /** What is being unpacked, and the private layers of runs, each named after its owner. */
  readonly private: string;
  /** Files that are locked while somebody unpacks. */
  readonly locks: string;
}

/**
 * The cache, `sandboxlib` in XDG_CACHE_HOME or ~/.cache. It is made when it is not there.
 *
 * @throws SandboxError `IMAGE_INVALID` when others than the caller can change it.
 */
export function cachePlace(): Place {
  const place = placeOf(cacheDirectory());
  for (const directory of [cacheDirectory(), ...Object.values(place)]) {
    if (stat(directory) === undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
    assertOurs(directory);
  }
  // A path without symlinks: what is mounted from it is looked up without any.
  return placeOf(realpathSync.native(cacheDirectory()));
}

/** The same without making it; undefined when it is not there. */
export function existingPlace(): Place | undefined {
  return stat(cacheDirectory()) === undefined ? undefined : cachePlace();
}

function cacheDirectory(): string {
  const given = process.env["XDG_CACHE_HOME"] ?? "";
  // A relative one is to be ignored, says the specification of base directories.
  return join(given.startsWith("/") ? given : join(homedir(), ".cache"), "sandboxlib");
}

function placeOf(base: string): Place {
  const directory = (name: keyof Place): string => join(base, name);
  return {
    images: directory("images"),
    seen: directory("seen"),
    private: directory("private"),
    locks: directory("locks"),
  };
}

function stat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** What lies in it is run as the caller, so nobody else may write there, or have made it. */
function assertOurs(directory: string): void {
  const found = stat(directory);
  if (found === undefined || !found.isDirectory())
    throw invalidImage(`the cache ${directory} is no directory`, HINT);
  if (found.uid !== process.getuid?.())
    throw invalidImage(`the cache ${directory} belongs to another user`, HINT);
  if ((found.mode & 0o077) !== 0)
    throw invalidImage(`the cache ${directory} can be used by other users`, HINT);
}

const HINT = "Remove it, or choose another place with XDG_CACHE_HOME.";
