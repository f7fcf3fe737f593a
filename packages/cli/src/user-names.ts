import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { type ConfigInput } from "@sandboxlib/core";
import { locate } from "@sandboxlib/core/internal";
import { CliError } from "./errors.js";

/** A config in which --uid or --gid may still be a name. */
type Named = { readonly [Id in "uid" | "gid"]: number | string };

/**
 * Looks up the names that --uid and --gid give, in the root's own passwd(5) and group(5).
 *
 * @param root - The directory of the host that becomes /.
 * @throws CliError for a name that is not there.
 */
export function withIds(config: ConfigInput, root: string): ConfigInput {
  const { uid, gid, ...rest } = config.user as Named;
  const user = {
    ...rest,
    uid: typeof uid === "number" ? uid : idOf(root, "passwd", uid, "--uid"),
    gid: typeof gid === "number" ? gid : idOf(root, "group", gid, "--gid"),
  };
  return { ...config, user };
}

/** The third field of both files is the id. */
function idOf(root: string, file: string, name: string, option: string): number {
  const lines = textIn(root, `/etc/${file}`).split("\n");
  const [, , id = ""] =
    lines.map((line) => line.split(":")).find(([first]) => first === name) ?? [];
  if (/^\d+$/.test(id)) return Number(id);
  const where = root === "/" ? "" : ` of ${JSON.stringify(root)}`;
  throw new CliError(`${option}: ${JSON.stringify(name)} is not in /etc/${file}${where}`, {
    hint: "Give its number.",
  });
}

/** The most bytes of a file that is read, since the root may be hostile. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The text of a regular file inside, empty if there is none. Symlinks do not lead out of the root. */
function textIn(root: string, path: string): string {
  try {
    const { kind, host } = locate({ root, mounts: new Map() }, path);
    if (kind !== "file" || host === undefined) return "";
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const fd = openSync(host, flags);
    try {
      const stat = fstatSync(fd);
      return stat.isFile() && stat.size <= MOST_BYTES ? readFileSync(fd, "latin1") : "";
    } finally {
      closeSync(fd);
    }
  } catch {
    return ""; // It cannot be read, so the name is not found.
  }
}
