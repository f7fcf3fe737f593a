import type { ResolvedMount } from "../backend/resolved-config.js";
import type { Config } from "../config/types.js";
import { locate, nearest, type View } from "./view.js";

const RESOLV_CONF = "/etc/resolv.conf";

/**
 * The bind that keeps the names of the host's network, undefined where they need none: on many hosts /etc/resolv.conf leads
 * below /run, and whoever hides that means what else is in there. A file that is itself hidden stays so.
 *
 * @param before - What can be seen before anything is hidden.
 * @param masks - What is hidden.
 */
export function keptResolver(
  before: View,
  masks: readonly ResolvedMount[],
  { network }: Config,
): ResolvedMount | undefined {
  if (network !== "host" || masks.length === 0) return undefined;
  const at = located(before);
  if (at?.kind !== "file" || at.host === undefined || before.mounts.has(at.path)) return undefined;
  if (masks.some(({ target }) => target === at.path)) return undefined;
  const hidden = masks.map((mask) => [mask.target, mask] as const);
  const mask = nearest({ ...before, mounts: new Map([...before.mounts, ...hidden]) }, at.path);
  if (mask?.type !== "mask") return undefined;
  return {
    type: "bind",
    source: at.host,
    target: at.path,
    readOnly: true,
    kind: "file",
    path: mask.path,
    create: true,
  };
}

/** Nobody has asked for it, so whatever keeps it from being found is no error. */
function located(view: View): ReturnType<typeof locate> | undefined {
  try {
    return locate(view, RESOLV_CONF);
  } catch {
    return undefined;
  }
}
