import { lstatSync } from "node:fs";
import { locate } from "@sandboxlib/core/internal";
import type { Ids } from "@sandboxlib/image";
import { LAST_ID, lookUp } from "@sandboxlib/image/format";
import type { App } from "../manifest/app.js";
import { fieldError, show } from "../manifest/errors.js";

/**
 * Finds the ids of the `user` and `group` of an app. Each is a name in the image's own `/etc/passwd` or `/etc/group`, a
 * number, or the path of a file of the image, whose owner or group is meant. Nothing is looked up outside of the root.
 *
 * @throws SandboxError `IMAGE_INVALID`
 */
export function ownerOf({ user, group }: Pick<App, "user" | "group">, root: string): Ids {
  return {
    uid: idOf({ text: user, field: "app.user", list: "/etc/passwd", id: "uid" }, root),
    gid: idOf({ text: group, field: "app.group", list: "/etc/group", id: "gid" }, root),
  };
}

/** A user or group to look up. */
interface Named {
  readonly text: string;
  readonly field: string;
  /** The file of the image that lists users or groups. */
  readonly list: string;
  readonly id: keyof Ids;
}

function idOf({ text, field, list, id }: Named, root: string): number {
  if (text.startsWith("/")) return ofFile(text, field, root)[id];
  // A name may consist of digits, so it is looked up before it is taken for a number.
  const listed = lineOf(text, list, field, root)?.split(":")[2];
  const digits = listed ?? text;
  if (/^\d{1,10}$/.test(digits) && Number(digits) <= LAST_ID) return Number(digits);
  const reason =
    listed === undefined
      ? `${show(text)} is not in the image's ${list}`
      : `has the id ${show(listed)}`;
  throw fieldError(field, reason, "Choose one with --uid and --gid.");
}

function lineOf(name: string, list: string, field: string, root: string): string | undefined {
  const bytes = Buffer.from(name, "utf8").toString("latin1");
  return readingFrom(field, list, () => lookUp(root, list))
    ?.split("\n")
    .find((line) => line.startsWith(`${bytes}:`));
}

function ofFile(path: string, field: string, root: string): Ids {
  const stat = readingFrom(field, path, () => {
    const { host, kind } = locate({ root, mounts: new Map() }, path);
    return host === undefined || kind === "missing" ? undefined : lstatSync(host);
  });
  if (stat !== undefined) return { uid: stat.uid, gid: stat.gid };
  throw fieldError(field, `there is no ${show(path)} in the image, whose owner it would be`);
}

function readingFrom<Type>(field: string, path: string, look: () => Type): Type {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw fieldError(field, `${show(path)} in the image cannot be read: ${code}`);
  }
}
