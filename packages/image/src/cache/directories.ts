import { lstatSync, mkdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ownedName, removeTree } from "@sandboxlib/core/internal";
import { invalidImage, shown, withSystemError } from "../errors.js";

/** The directories of the cache. */
export interface Cache {
  /** Unpacked images. Each is a directory that is renamed into this one when it is complete. */
  readonly images: string;
  /** Which image each known file is, see `known-files.ts`. */
  readonly knownFiles: string;
  /**
   * The directories of processes, for what they unpack and for the layers of their runs. Each is named after its
   * process.
   */
  readonly private: string;
  /** Files that are locked while somebody unpacks an image. */
  readonly locks: string;
}

/**
 * Finds the cache, `sandboxlib` in XDG_CACHE_HOME or ~/.cache, and makes it when it is not there.
 *
 * @throws SandboxError `IMAGE_INVALID` when another user can change the cache or replace it.
 */
export function openCache(): Cache {
  const base = cacheDirectory();
  try {
    return openAt(base);
  } catch (error) {
    throw withSystemError(`the cache ${shown(base)} cannot be used`, error);
  }
}

function openAt(base: string): Cache {
  assertSafeAbove(base);
  for (const directory of [base, ...Object.values(directoriesIn(base))]) {
    const found = stat(directory);
    if (found === undefined) make(directory);
    assertPrivate(directory, found ?? stat(directory));
  }
  // Paths of the cache become sources of mounts, and those may not lead through symlinks.
  return directoriesIn(realpathSync.native(base));
}

/** Makes a directory and those above it. Node's own recursive mkdir hides why it failed. */
function make(directory: string): void {
  const above = dirname(directory);
  if (statSync(above, { throwIfNoEntry: false }) === undefined) make(above);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    // Another process may have made it just now.
    if (code === "EEXIST") return;
    throw invalidImage(`the cache ${shown(directory)} cannot be made: ${code}`, CHOOSE, cause);
  }
}

/** Finds the cache as {@link openCache} does, but does not make it: undefined when it is not there. */
export function openExistingCache(): Cache | undefined {
  const base = cacheDirectory();
  try {
    if (stat(base) === undefined) return undefined;
  } catch (error) {
    throw withSystemError(`the cache ${shown(base)} cannot be used`, error);
  }
  return openCache();
}

function cacheDirectory(): string {
  const given = process.env["XDG_CACHE_HOME"] ?? "";
  // The XDG specification of base directories says that a relative path is to be ignored.
  return join(given.startsWith("/") ? given : join(homedir(), ".cache"), "sandboxlib");
}

function directoriesIn(base: string): Cache {
  return {
    images: join(base, "images"),
    knownFiles: join(base, "seen"),
    private: join(base, "private"),
    locks: join(base, "locks"),
  };
}

function stat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Programs from the cache run as the caller, so another user must neither be able to write there nor have made it. */
function assertPrivate(directory: string, found: Stats | undefined): void {
  if (found === undefined || !found.isDirectory())
    throw invalidImage(`the cache ${directory} is no directory`, REMOVE);
  if (found.uid !== process.getuid?.())
    throw invalidImage(`the cache ${directory} belongs to another user`, REMOVE);
  if ((found.mode & 0o077) !== 0)
    throw invalidImage(`the cache ${directory} can be used by other users`, REMOVE);
}

const REMOVE = "Remove it, or choose another place with XDG_CACHE_HOME.";
const CHOOSE = "Choose another place with XDG_CACHE_HOME.";

/**
 * A user who can write to a directory above the cache could replace the cache. Directories that are missing will be the
 * caller's.
 */
function assertSafeAbove(cache: string): void {
  const trusted = [process.getuid?.(), 0];
  let above = dirname(cache);
  while (stat(above) === undefined) above = dirname(above);
  for (above = realpathSync.native(above); ; above = dirname(above)) {
    const { uid, gid, mode } = lstatSync(above);
    if (!trusted.includes(uid) && !isUnmappedRoot(uid))
      throw invalidImage(
        `the cache ${cache} lies in ${above}, which belongs to another user`,
        CHOOSE,
      );
    // Where the umask is 002, each user usually has a group of their own, and its members are trusted.
    const others = gid === process.getgid?.() || gid === 0 ? 0o002 : 0o022;
    if ((mode & others) !== 0 && (mode & STICKY) === 0)
      throw invalidImage(`the cache ${cache} lies in ${above}, which others can write to`, CHOOSE);
    if (above === "/") return;
  }
}

const STICKY = 0o1000;

/**
 * In a user namespace without a mapping of the host's root, as in a container, files of that root show the overflow id.
 */
function isUnmappedRoot(uid: number): boolean {
  try {
    const [first = 0, , count = 0] = numbersIn("/proc/self/uid_map");
    const mapsAll = first === 0 && count === ID_COUNT;
    return !mapsAll && numbersIn("/proc/sys/kernel/overflowuid")[0] === uid;
  } catch {
    return false;
  }
}

const ID_COUNT = 4_294_967_295;

function numbersIn(path: string): number[] {
  return readFileSync(path, "latin1").trim().split(/\s+/).map(Number);
}

/** A directory in the cache that belongs to this process. When the process has died, `gc` removes it. */
export interface PrivateDirectory {
  readonly path: string;
  /** Removes the directory. It never throws, since that would hide the result of a run: what is left is for `gc`. */
  readonly remove: () => void;
}

/**
 * Makes a directory in the cache for this process.
 *
 * @param image - The name of the image that is used from now on: `gc` then keeps that image.
 */
export function makePrivateDirectory(cache: Pick<Cache, "private">, image = ""): PrivateDirectory {
  const path = join(cache.private, `${ownedName()}.${image}`);
  mkdirSync(path, { mode: 0o700 });
  return { path, remove: () => tryToRemove(path) };
}

function tryToRemove(path: string): void {
  try {
    removeTree(path);
  } catch {
    // `gc` removes it once this process has ended, and reports why it cannot be removed.
  }
}
