import { lstatSync, mkdirSync, readFileSync, realpathSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
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
 * @throws SandboxError `IMAGE_INVALID` when others than the caller can change it, or put another one in its place.
 */
export function cachePlace(): Place {
  const place = placeOf(cacheDirectory());
  assertSafeAbove(cacheDirectory());
  for (const directory of [cacheDirectory(), ...Object.values(place)]) {
    const found = stat(directory);
    if (found === undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
    assertOurs(directory, found ?? stat(directory));
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
function assertOurs(directory: string, found: Stats | undefined): void {
  if (found === undefined || !found.isDirectory())
    throw invalidImage(`the cache ${directory} is no directory`, HINT);
  if (found.uid !== process.getuid?.())
    throw invalidImage(`the cache ${directory} belongs to another user`, HINT);
  if ((found.mode & 0o077) !== 0)
    throw invalidImage(`the cache ${directory} can be used by other users`, HINT);
}

/** Whoever can write to a directory above can put another cache there. Those that are not there yet will be ours. */
function assertSafeAbove(cache: string): void {
  const trusted = [process.getuid?.(), 0];
  let above = dirname(cache);
  while (stat(above) === undefined) above = dirname(above);
  for (above = realpathSync.native(above); ; above = dirname(above)) {
    const { uid, gid, mode } = lstatSync(above);
    if (!trusted.includes(uid) && !isUnmappedRoot(uid))
      throw invalidImage(
        `the cache ${cache} lies in ${above}, which belongs to another user`,
        MOVE,
      );
    // A group of one's own is the usual one where the umask is 002.
    const others = gid === process.getgid?.() || gid === 0 ? 0o002 : 0o022;
    if ((mode & others) !== 0 && (mode & STICKY) === 0)
      throw invalidImage(`the cache ${cache} lies in ${above}, which others can write to`, MOVE);
    if (above === "/") return;
  }
}

const STICKY = 0o1000;
const MOVE = "Choose another place with XDG_CACHE_HOME.";

/** In a user namespace that does not have them all, as in a container, the root of the host is shown as another id. */
function isUnmappedRoot(uid: number): boolean {
  try {
    const [first = 0, , count = 0] = numbersIn("/proc/self/uid_map");
    const hasAll = first === 0 && count === EVERY_ID;
    return !hasAll && numbersIn("/proc/sys/kernel/overflowuid")[0] === uid;
  } catch {
    return false;
  }
}

const EVERY_ID = 4_294_967_295;

function numbersIn(path: string): number[] {
  return readFileSync(path, "latin1").trim().split(/\s+/).map(Number);
}

const HINT = "Remove it, or choose another place with XDG_CACHE_HOME.";
