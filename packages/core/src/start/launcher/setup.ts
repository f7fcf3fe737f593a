import type { LauncherSetup } from "../../backend/plan.js";
import type { IdExtent, Mirror, ResolvedMount } from "../../backend/resolved-config.js";
import { capabilitySet } from "../../host/capability-set.js";
import { filter } from "../../host/seccomp-filter.js";
import { frame, record, str, strs, u8, u32, u64 } from "./frame.js";

/** What becomes of a sandbox after its set-up: it runs one command, or any number until it is closed. */
export type Mode = "run" | "session";

/** The set-up frame, see `PROTOCOL.md` of `@sandboxlib/launcher`; made once for all runs of a sandbox. */
export function encodeSetup(setup: LauncherSetup, mode: Mode): Buffer {
  const known = frames[mode].get(setup);
  if (known !== undefined) return known;
  const encoded = encode(setup, mode);
  frames[mode].set(setup, encoded);
  return encoded;
}

const frames: Readonly<Record<Mode, WeakMap<LauncherSetup, Buffer>>> = {
  run: new WeakMap(),
  session: new WeakMap(),
};

function encode(setup: LauncherSetup, mode: Mode): Buffer {
  const { uid, gid, idMap, root, rootReadOnly, hostname, cgroup, overlay } = setup;
  const kept = capabilitySet(setup.capabilities);
  return frame(
    "S",
    record("V", u32(1)),
    record("M", u8(mode === "run" ? 0 : 1)),
    record("N", u32(namespaceBits(setup))),
    record("I", u32(uid), u32(gid)),
    record("R", u8(rootReadOnly ? READ_ONLY : 0), str(root)),
    ...(idMap === undefined ? [] : idRecords(idMap)),
    ...(kept === 0n ? [] : [record("K", u64(kept))]),
    ...(hostname === undefined ? [] : [record("H", str(hostname))]),
    ...(cgroup === undefined ? [] : [record("P", strs(cgroup.procs), strs(cgroup.tasks))]),
    ...(overlay === undefined ? [] : [record("O", str(overlay.upper), str(overlay.work))]),
    ...filterRecords(setup),
    ...mountsInOrder(setup).map((mount) => record("m", ...mountBody(mount))),
  );
}

/**
 * The filter that pid 1 loads once, for itself and every program, and one that each program gets right before it is
 * executed. To load one for each takes time, so pid 1 takes the profiles with which it can live.
 */
function filterRecords({ seccomp }: LauncherSetup): Buffer[] {
  if (seccomp === undefined) return [record("F", filter())];
  if (typeof seccomp === "string" && seccomp !== "strict") return [record("F", filter(seccomp))];
  const own = seccomp === "strict" ? filter(seccomp) : seccomp;
  return [record("F", filter()), record("E", own)];
}

/** The mounts and mirrors in the order in which to make them: a mirror before what lies in it. */
export function mountsInOrder({ mounts, mirrors }: LauncherSetup): LauncherMount[] {
  const depth = (target: string): number => (target === "/" ? 1 : target.split("/").length);
  return [
    ...mounts,
    ...mirrors.map((mirror) => ({ ...mirror, type: "mirror", create: false }) as const),
  ].sort((a, b) => depth(a.target) - depth(b.target));
}

type LauncherMount = ResolvedMount | (Mirror & { readonly type: "mirror"; readonly create: false });

/** The new namespaces as the launcher is to be told, in the set-up and when it is started. */
export function namespaceBits({ namespaces, nesting }: LauncherSetup): number {
  return namespaces.reduce((bits, name) => bits | NAMESPACES[name], nesting === true ? NESTING : 0);
}

const NAMESPACES = { user: 1, ipc: 2, uts: 4, cgroup: 8, network: 16 } as const;
const NESTING = 32;
const TYPES = { bind: "b", tmpfs: "t", proc: "p", dev: "d", mask: "h", mirror: "r" } as const;
const [READ_ONLY, CREATE, DIRECTORY, DEVICES] = [1, 2, 4, 8] as const;

function idRecords({
  uids,
  gids,
  tools = { uids: "", gids: "" },
}: NonNullable<LauncherSetup["idMap"]>): Buffer[] {
  const body = (tool: string, extents: readonly IdExtent[]): Buffer[] => [
    str(tool),
    ...extents.flatMap(({ inside, outside, count }) => [u32(inside), u32(outside), u32(count)]),
  ];
  return [record("U", ...body(tools.uids, uids)), record("G", ...body(tools.gids, gids))];
}

function mountBody(mount: LauncherMount): Buffer[] {
  const { type, target, path, create } = mount;
  const kind = "kind" in mount ? mount.kind : "directory";
  const bind = type === "bind" ? mount : undefined;
  const flags =
    (bind?.readOnly === true ? READ_ONLY : 0) |
    (create ? CREATE : 0) |
    (kind === "directory" ? DIRECTORY : 0) |
    // Devices can be opened only where the config binds a path of /dev.
    (bind !== undefined && /^\/dev(\/|$)/.test(bind.source) ? DEVICES : 0);
  const size = type === "tmpfs" ? (mount.size ?? 0) : 0;
  const head = Buffer.concat([Buffer.from(TYPES[type], "latin1"), u8(flags), u64(size)]);
  return [head, str(path), str(bind?.source ?? ""), str(target)];
}
