import { lstatSync, statSync } from "node:fs";
import type { Host } from "../backend/backend.js";
import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import { isExactVariable } from "../config/text.js";
import type { Config, Mount } from "../config/types.js";
import { limitsWithout } from "../config/types.js";
import type { SandboxError } from "../result/error.js";
import { aliasesOf } from "./aliases.js";
import { idMapFor } from "./id-map.js";
import { find, invalid, realPath } from "./lookup.js";
import { HINT_TARGET, type Missing, mirrorsFor } from "./mirror.js";
import { selfBindsFor } from "./self-binds.js";
import { nearest, type View, viewAt } from "./view.js";

/**
 * Looks up every path of a config on this host and decides what the config leaves open.
 *
 * @param mayCreate - Whether the backend provides mount points that the root lacks.
 * @throws SandboxError `PATH_INVALID`, naming the field whose path is missing or of the wrong kind.
 */
export function resolvePaths(config: Config, host: Host, mayCreate = false): ResolvedConfig {
  const root = hostDirectory(config.root, "root");
  const overlay = config.overlay && hostDirectories(config.overlay);
  const view: Layered = { ...viewAt(root, overlay), mounts: new Map() };
  const missing: Missing[] = [];
  for (const [index, mount] of [...config.mounts.entries()].sort(
    ([, a], [, b]) => depth(a.target) - depth(b.target),
  )) {
    add(view, settleMount(view, mount, `mounts[${index}]`, mayCreate ? missing : undefined));
  }
  const writable =
    config.writable === "all"
      ? []
      : config.writable.flatMap((path, i) => settleWritable(view, path, i));
  const hidden = config.hidden.map((path, index) => settleHidden(view, path, `hidden[${index}]`));
  for (const mount of [...writable.filter(({ target }) => target !== "/"), ...hidden])
    add(view, mount);
  const rootReadOnly = config.writable !== "all" && !writable.some(({ target }) => target === "/");
  for (const mask of hidden) hideAliases(view, mask);
  for (const bind of selfBindsFor(view, rootReadOnly)) add(view, bind);
  const inMirrors = new Set(missing.map(({ target }) => target));
  const isCreated = ({ target }: ResolvedMount): boolean =>
    inMirrors.has(target) || isMadeInMemory(view, target);
  const cwd = settleCwd(view, config.cwd);
  const { user, hostname, limits, stop } = config;
  return {
    root,
    rootReadOnly,
    ...(overlay !== undefined && { overlay }),
    mounts: [...view.mounts.values()]
      .map((mount) => ({ ...mount, create: isCreated(mount) }))
      .sort((a, b) => depth(a.target) - depth(b.target)),
    mirrors: mirrorsFor(view, missing, rootReadOnly),
    cwd,
    env: { ...inherited(config), ...config.env, PWD: cwd },
    network: config.network,
    isolate: new Set(config.isolate),
    ...(user !== undefined &&
      (user.uid !== host.uid || user.gid !== host.gid) && {
        user: { uid: user.uid, gid: user.gid },
      }),
    ...(user?.range !== undefined && { idMap: idMapFor({ ...user, range: user.range }, host) }),
    ...(config.isolate.includes("uts") && { hostname: hostname ?? "sandbox" }),
    limits: limitsWithout(limits, () => false),
    ...(stop !== undefined && { stop }),
  };
}

/** A view that mounts are added to. */
type Layered = Omit<View, "mounts"> & { readonly mounts: Map<string, ResolvedMount> };

function settleMount(
  view: View,
  mount: Mount,
  path: string,
  missing: Missing[] | undefined,
): ResolvedMount {
  const resolved =
    mount.type === "bind" ? { ...mount, ...hostSource(mount.source, `${path}.source`) } : mount;
  const at = find(view, mount.target, `${path}.target`, true);
  const wanted = resolved.type === "bind" ? resolved.kind : "directory";
  if (at.path === "/") throw invalid(`${path}.target`, mount.target, "leads to the root itself");
  if (at.kind === "memory") {
    if (nearest(view, at.path)?.type === "proc")
      throw invalid(`${path}.target`, mount.target, "lies in a proc mount");
  } else if (at.kind === "missing" && missing !== undefined) {
    missing.push({ target: at.path, field: `${path}.target`, value: mount.target });
  } else if (at.kind === "missing") {
    throw invalid(
      `${path}.target`,
      mount.target,
      `does not exist in the root ${view.root}`,
      HINT_TARGET,
    );
  } else if (at.kind !== wanted) {
    throw invalid(
      `${path}.target`,
      mount.target,
      `is a ${at.kind}, and a ${wanted} is to be mounted there`,
    );
  }
  const { size } = { size: undefined, ...resolved };
  const base = { target: at.path, path, create: false };
  if (resolved.type === "bind") {
    const { source, kind, readOnly } = resolved;
    return { ...base, type: "bind", source, kind, readOnly };
  }
  return resolved.type === "tmpfs" && size !== undefined
    ? { ...base, type: "tmpfs", size }
    : { ...base, type: resolved.type };
}

/**
 * The bind that makes a path writable; undefined where it is writable already. A path that a tmpfs covers is bound over it:
 * whoever names it wants to use it.
 */
function settleWritable(view: View, path: string, index: number): ResolvedMount[] {
  const field = `writable[${index}]`;
  const covered = find(view, path, field);
  const at = covered.kind === "memory" ? find(withoutMemory(view), path, field) : covered;
  const mount = view.mounts.get(at.path);
  if (mount?.type === "tmpfs" || (mount?.type === "bind" && !mount.readOnly)) return [];
  if (mount !== undefined) {
    throw invalid(
      field,
      path,
      `is the target of ${mount.path}, which is read-only`,
      "Change that mount instead.",
    );
  }
  if (at.host === undefined || at.kind === "missing" || at.kind === "memory")
    throw notThere(view, field, path);
  return [
    {
      type: "bind",
      source: at.host,
      target: at.path,
      readOnly: false,
      kind: at.kind,
      path: field,
      create: false,
    },
  ];
}

function withoutMemory({ mounts, ...view }: View): View {
  return { ...view, mounts: new Map([...mounts].filter(([, { type }]) => type === "bind")) };
}

function settleHidden(view: View, path: string, field: string): ResolvedMount {
  const at = find(view, path, field);
  const mount = view.mounts.get(at.path);
  if (mount !== undefined)
    throw invalid(field, path, `is the target of ${mount.path}`, "Leave that mount out instead.");
  if (at.path === "/") throw invalid(field, path, "is the root itself");
  if (at.kind === "missing" || at.kind === "memory") throw notThere(view, field, path);
  return { type: "mask", target: at.path, kind: at.kind, path: field, create: false };
}

/**
 * Hides a file at every other path at which it is seen, too. A bind of the file itself is left: the config asks for it, and
 * the receipt notes it, see withNotes.
 */
function hideAliases(view: Layered, mask: ResolvedMount): void {
  const { host } = find(view, mask.target, mask.path, true);
  const aliases = host === undefined ? [] : aliasesOf(view, mask.target, host);
  for (const { path, kind } of aliases.sort((a, b) => depth(a.path) - depth(b.path))) {
    // The path lies in a hidden directory, and is hidden with it.
    const isHidden = nearest(view, path)?.type === "mask";
    if (isHidden || view.mounts.has(path)) continue;
    const isFile = kind === "file";
    add(view, {
      type: "mask",
      target: path,
      kind: isFile ? kind : "directory",
      path: mask.path,
      create: false,
    });
  }
}

function settleCwd(view: View, path: string): string {
  const at = find(view, path, "cwd");
  if (at.kind === "missing" || at.kind === "memory") {
    // A directory that has to be made for a deeper mount point is there as well.
    if ([...view.mounts.keys()].some((target) => target.startsWith(`${at.path}/`))) return at.path;
    throw notThere(view, "cwd", path);
  }
  if (at.kind !== "directory") throw invalid("cwd", path, "is not a directory");
  return at.path;
}

function add(view: { mounts: Map<string, ResolvedMount> }, mount: ResolvedMount): void {
  const other = view.mounts.get(mount.target);
  if (other !== undefined) {
    throw invalid(
      mount.path,
      mount.target,
      `leads to the same path as ${other.path}`,
      "Leave one of the two out.",
    );
  }
  view.mounts.set(mount.target, mount);
}

function isMadeInMemory(view: View, target: string): boolean {
  const above = nearest(view, target);
  return above !== undefined && above.type !== "bind";
}

function depth(target: string): number {
  return target.split("/").length;
}

function hostDirectories({ upper, work }: NonNullable<Config["overlay"]>): {
  readonly upper: string;
  readonly work: string;
} {
  return {
    upper: hostDirectory(upper, "overlay.upper"),
    work: hostDirectory(work, "overlay.work"),
  };
}

function hostDirectory(path: string, field: string): string {
  const real = realPath(path);
  if (real === undefined) throw invalid(field, path, "does not exist, or cannot be reached");
  if (!statSync(real).isDirectory()) throw invalid(field, path, "is not a directory");
  return real;
}

function hostSource(path: string, field: string): { source: string; kind: "file" | "directory" } {
  const source = realPath(path);
  if (source === undefined)
    throw invalid(field, path, "does not exist on the host, or cannot be reached");
  return { source, kind: lstatSync(source).isDirectory() ? "directory" : "file" };
}

function inherited({ inheritEnv }: Config): Record<string, string> {
  return Object.fromEntries(
    inheritEnv.flatMap((name, index) => {
      const value = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
      if (value === undefined) return [];
      if (isExactVariable(name, value)) return [[name, value]];
      throw invalid(
        `inheritEnv[${index}]`,
        name,
        "holds bytes that are not UTF-8",
        "Set it in `env`.",
      );
    }),
  );
}

function notThere(view: View, field: string, path: string): SandboxError {
  const cover = nearest(view, path);
  if (cover !== undefined && cover.type !== "bind") {
    const hint = `Make it visible with a bind mount or \`writable\`, or leave ${cover.path} out.`;
    return invalid(field, path, `is covered by the ${cover.type} on ${cover.target}`, hint);
  }
  return invalid(
    field,
    path,
    view.root === "/" ? "does not exist" : `does not exist in the root ${view.root}`,
  );
}
