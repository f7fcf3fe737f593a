import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { type Located, locate } from "@sandboxlib/core/internal";
import { invalidImage, shown } from "../errors.js";
import { type Ids, LAST_ID } from "../image.js";

/**
 * Finds the ids of a user that an image writes as `USER[:GROUP]`. Each is a name or a number, and is looked up in the image's
 * own passwd(5) and group(5). As in other tools, a user number that is not there gets the group 0.
 *
 * @throws SandboxError `IMAGE_INVALID` for a name that is not there.
 */
export function userOf(root: string, text: string): Ids {
  const [user = "", group] = text.split(":", 2);
  const line = lineOf(root, "/etc/passwd", user, 2);
  const uid = idOf(user) ?? number(line?.[2]);
  if (uid === undefined)
    throw invalidImage(
      `its user ${shown(user)} is not in its /etc/passwd`,
      "Choose one with --uid and --gid.",
    );
  if (group === undefined || group === "") return { uid, gid: number(line?.[3]) ?? 0 };
  const gid = idOf(group) ?? number(lineOf(root, "/etc/group", group, 2)?.[2]);
  if (gid !== undefined) return { uid, gid };
  throw invalidImage(
    `its group ${shown(group)} is not in its /etc/group`,
    "Choose one with --uid and --gid.",
  );
}

/** Finds the home directory of a user; undefined when the image names none. */
export function homeOf(root: string, uid: number): string | undefined {
  const home = lineOf(root, "/etc/passwd", String(uid), 2)?.[5];
  return home?.startsWith("/") === true ? home : undefined;
}

/** The fields of the first line whose name is the word, or else whose id is. */
function lineOf(root: string, file: string, word: string, idAt: number): string[] | undefined {
  const lines = (lookUp(root, file) ?? "").split("\n").map((line) => line.split(":"));
  const byName = lines.find(([name]) => name === word);
  return byName ?? lines.find((fields) => idOf(word) !== undefined && fields[idAt] === word);
}

function idOf(text: string): number | undefined {
  return /^\d+$/.test(text) && Number(text) <= LAST_ID ? Number(text) : undefined;
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : idOf(text);
}

/** The most bytes of a file that is looked up. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Reads a file inside a root, as latin1. Symlinks cannot lead out of the root.
 *
 * @returns undefined when it is not there or too large.
 */
export function lookUp(root: string, path: string): string | undefined {
  const found = locateIn(root, path);
  if (found === undefined || found.kind !== "file" || found.host === undefined) return undefined;
  // An image may have a FIFO there, to which nobody writes, or a device, which does something when it is opened.
  const fd = openSync(found.host, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MOST_BYTES) return undefined;
    return readFileSync(fd).toString("latin1");
  } finally {
    closeSync(fd);
  }
}

/** Finds a path inside a root; undefined for a loop of symlinks and for a name that is too long. */
export function locateIn(root: string, path: string): Located | undefined {
  try {
    return locate({ root, mounts: new Map() }, path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ELOOP" || code === "ENAMETOOLONG") return undefined;
    throw error;
  }
}
