import { lstatSync } from "node:fs";
import { locate } from "@sandboxlib/core";
import type { Ids } from "@sandboxlib/image";
import { LAST_ID, lookUp } from "@sandboxlib/image/format";
import type { App } from "../manifest/app.js";
import { fault, show } from "../manifest/fault.js";

/**
 * The ids that `user` and `group` name: in the image's own `/etc/passwd` and `/etc/group`, else by number, or of the
 * owner of a file. Nothing is looked up outside of the root.
 *
 * @throws SandboxError `IMAGE_INVALID`
 */
export function ownerOf({ user, group }: Pick<App, "user" | "group">, root: string): Ids {
  return {
    uid: idOf({ text: user, field: "app.user", list: "/etc/passwd", id: "uid" }, root),
    gid: idOf({ text: group, field: "app.group", list: "/etc/group", id: "gid" }, root),
  };
}

interface Named {
  readonly text: string;
  readonly field: string;
  /** The file of the image that names ids of this kind. */
  readonly list: string;
  readonly id: keyof Ids;
}

function idOf({ text, field, list, id }: Named, root: string): number {
  if (text.startsWith("/")) return ofFile(text, field, root)[id];
  // A name may consist of digits, so the list comes first.
  const listed = lineOf(text, list, field, root)?.split(":")[2];
  const digits = listed ?? text;
  if (/^\d{1,10}$/.test(digits) && Number(digits) <= LAST_ID) return Number(digits);
  const reason =
    listed === undefined
      ? `${show(text)} is not in the image's ${list}`
      : `has the id ${show(listed)}`;
  throw fault(field, reason, "Choose one with --uid and --gid.");
}

function lineOf(name: string, list: string, field: string, root: string): string | undefined {
  const bytes = Buffer.from(name, "utf8").toString("latin1");
  return inside(field, list, () => lookUp(root, list))
    ?.split("\n")
    .find((line) => line.startsWith(`${bytes}:`));
}

function ofFile(path: string, field: string, root: string): Ids {
  const stat = inside(field, path, () => {
    const { host, kind } = locate({ root, mounts: new Map() }, path);
    return host === undefined || kind === "missing" ? undefined : lstatSync(host);
  });
  if (stat !== undefined) return { uid: stat.uid, gid: stat.gid };
  throw fault(field, `there is no ${show(path)} in the image, whose owner it would be`);
}

function inside<Type>(field: string, path: string, look: () => Type): Type {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw fault(field, `${show(path)} in the image cannot be read: ${code}`);
  }
}
