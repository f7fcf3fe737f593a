import { userInfo } from "node:os";
import type { Host } from "../backend/backend.js";
import type { IdExtent, IdMap } from "../backend/resolved-config.js";
import { contentOf } from "../host/host.js";
import { SandboxError } from "../result/error.js";

/**
 * The ids 0 to `range` - 1 inside: the program's own is the caller, the others are subordinate ids of the caller, see
 * subuid(5). Root maps each id to itself.
 *
 * @throws SandboxError `CAPABILITY_UNSUPPORTED` when the caller has not as many subordinate ids.
 */
export function idMapFor(
  { uid, gid, range }: { readonly uid: number; readonly gid: number; readonly range: number },
  host: Pick<Host, "uid" | "gid">,
  directory = "/etc",
): IdMap {
  if (host.uid === 0) {
    const identity = [{ inside: 0, outside: 0, count: range }];
    return { uids: identity, gids: identity };
  }
  return {
    uids: extents(uid, host.uid, range, grants(`${directory}/subuid`, host.uid)),
    gids: extents(gid, host.gid, range, grants(`${directory}/subgid`, host.uid)),
  };
}

interface Grant {
  readonly file: string;
  readonly ranges: readonly { readonly start: number; readonly count: number }[];
}

/** Lines of `USER:START:COUNT`, where the user is a name or a number. */
function grants(file: string, uid: number): Grant {
  const owners = [String(uid), nameOf(uid)];
  // Without the file nobody has subordinate ids.
  const ranges = (contentOf(file) ?? "")
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([owner]) => owner !== undefined && owners.includes(owner))
    .map(([, start, count]) => ({ start: Number(start), count: Number(count) }))
    .filter(({ start, count }) => Number.isSafeInteger(start) && Number.isSafeInteger(count));
  return { file, ranges };
}

/** Undefined where the uid has no entry in passwd(5). */
function nameOf(uid: number): string | undefined {
  try {
    const info = userInfo();
    return info.uid === uid ? info.username : undefined;
  } catch {
    return undefined;
  }
}

function extents(own: number, outside: number, range: number, { file, ranges }: Grant): IdExtent[] {
  const map: IdExtent[] = [{ inside: own, outside, count: 1 }];
  const gaps = [
    { from: 0, to: own },
    { from: own + 1, to: range },
  ];
  const left = ranges.map((each) => ({ ...each }));
  for (const { from, to } of gaps) {
    for (let inside = from; inside < to; ) {
      const [next] = left;
      if (next === undefined) throw tooFew(file, range, ranges);
      const count = Math.min(next.count, to - inside);
      if (count > 0) map.push({ inside, outside: next.start, count });
      inside += count;
      next.start += count;
      next.count -= count;
      if (next.count <= 0) left.shift();
    }
  }
  return map.sort((a, b) => a.inside - b.inside);
}

function tooFew(file: string, range: number, ranges: Grant["ranges"]): SandboxError {
  const granted = ranges.reduce((sum, { count }) => sum + count, 0);
  return new SandboxError(
    "CAPABILITY_UNSUPPORTED",
    `user.range: ${range} ids are asked for, and ${file} grants this user ${granted} besides its own`,
    {
      path: "user.range",
      hint: "Ask for fewer, or have the administrator add some: usermod --add-subuids, --add-subgids.",
    },
  );
}
