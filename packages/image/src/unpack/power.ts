import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** What this process can do with the files of an image. */
export interface Power {
  /** Whether it can give files to others, and read and write all of them whatever their modes are. */
  readonly privileged: boolean;
  /**
   * Names the users that exist here, and is empty for everybody who is root or not root in the usual way. An image is
   * unpacked anew where others exist: its files would have other owners.
   */
  readonly scope: string;
}

/**
 * Finds out the power of this process. Being uid 0 is none: a container may lack the capabilities, and in a user namespace
 * most users do not exist. Where there is but one, as in that of `unshare -r`, root can do no more than the caller who made
 * it, and uses the same images.
 */
export function powerHere(): Power {
  if (process.getuid?.() !== 0) return { privileged: false, scope: "" };
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(read("/proc/self/status"))?.[1] ?? "0";
  const maps = ["/proc/self/uid_map", "/proc/self/gid_map"].map((path) =>
    read(path).trim().replaceAll(/\s+/g, " "),
  );
  const isEverybody = maps.every((map) => map === EVERYBODY);
  const privileged = (BigInt(`0x${capabilities}`) & NEEDED) === NEEDED && idsHere() > 1;
  if (!privileged) return { privileged, scope: isEverybody ? "none" : "" };
  if (isEverybody) return { privileged, scope: "" };
  const hash = createHash("sha256").update(maps.join("\n")).digest("hex");
  return { privileged, scope: hash.slice(0, 16) };
}

/** CAP_CHOWN, CAP_DAC_OVERRIDE and CAP_FOWNER, see capabilities(7). */
const NEEDED = 0b1011n;
/** The map of ids outside of user namespaces. */
const EVERYBODY = "0 0 4294967295";

/** How many ids exist here from 0 on, both of users and of groups. */
export function idsHere(): number {
  return Math.min(...["uid_map", "gid_map"].map((name) => idsFromZero(read(`/proc/self/${name}`))));
}

function idsFromZero(map: string): number {
  const ranges = map
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .sort(([one = 0], [other = 0]) => one - other);
  let end = 0;
  for (const [inside = 0, , count = 0] of ranges) if (inside === end) end += count;
  return end;
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
