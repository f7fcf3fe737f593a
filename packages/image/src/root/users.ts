import { type Ids, LAST_ID } from "../ids.js";
import { invalidImage, shown } from "../invalid.js";
import { lookUp } from "./look-up.js";

/**
 * The ids of a user as images write it: `USER[:GROUP]`, each a name or a number, looked up in the image's own passwd(5) and
 * group(5). As in other tools, a number that is not listed there gets the group 0.
 *
 * @throws SandboxError `IMAGE_INVALID` for a name that is not there.
 */
export function userOf(root: string, text: string): Ids {
  const [user = "", group] = text.split(":", 2);
  const known = lineOf(root, "/etc/passwd", user, 2);
  const uid = idOf(user) ?? number(known?.[2]);
  if (uid === undefined)
    throw invalidImage(
      `its user ${shown(user)} is not in its /etc/passwd`,
      "Choose one with --uid and --gid.",
    );
  if (group === undefined || group === "") return { uid, gid: number(known?.[3]) ?? 0 };
  const gid = idOf(group) ?? number(lineOf(root, "/etc/group", group, 2)?.[2]);
  if (gid !== undefined) return { uid, gid };
  throw invalidImage(
    `its group ${shown(group)} is not in its /etc/group`,
    "Choose one with --uid and --gid.",
  );
}

/** The home directory of a user; undefined where the image does not tell. */
export function homeOf(root: string, uid: number): string | undefined {
  const home = lineOf(root, "/etc/passwd", String(uid), 2)?.[5];
  return home?.startsWith("/") === true ? home : undefined;
}

/** The first line of a file that has the word as its name, or else as its id. */
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
