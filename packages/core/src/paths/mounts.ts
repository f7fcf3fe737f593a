import { lstatSync } from "node:fs";
import type { Mirror, ResolvedMount } from "../backend/resolved-config.js";
import type { Config, Mount } from "../config/types.js";
import type { SandboxError } from "../result/error.js";
import { aliasesOf } from "./aliases.js";
import { HINT_TARGET, type Missing, mirrorsFor } from "./mirror.js";
import { keptResolver } from "./resolver.js";
import { selfBindsFor } from "./self-binds.js";
import { find, invalid, locate, nearest, realPath, type View } from "./view.js";

/** What a config has mounted over the root. */
export interface Mounted {
  /** What the program will see. */
  readonly view: View;
  /** In the order to mount them. */
  readonly mounts: readonly ResolvedMount[];
  readonly mirrors: readonly Mirror[];
  /** Whether what no mount covers is read-only. */
  readonly rootReadOnly: boolean;
}

/**
 * Looks up everything that a config mounts, makes writable or hides, each in what lies there already.
 *
 * @param root - The root, and what lies over it.
 * @param mayCreate - Whether the backend provides mount points that the root lacks.
 * @throws SandboxError `PATH_INVALID`, naming the field whose path is missing or of the wrong kind.
 */
export function mountAll(config: Config, root: Omit<View, "mounts">, mayCreate: boolean): Mounted {
  const view: Layered = { ...root, mounts: new Map() };
  const missing: Missing[] = [];
  for (const [index, mount] of [...config.mounts.entries()].sort(
    ([, a], [, b]) => depth(a.target) - depth(b.target),
  )) {
    add(view, resolveMount(view, mount, `mounts[${index}]`, mayCreate ? missing : undefined));
  }
  const writable =
    config.writable === "all"
      ? []
      : config.writable.flatMap((path, i) => resolveWritable(view, path, i));
  const hidden = config.hidden.map((path, index) => resolveHidden(view, path, `hidden[${index}]`));
  const resolver = keptResolver(view, hidden, config);
  for (const mount of [...writable.filter(({ target }) => target !== "/"), ...hidden])
    add(view, mount);
  const rootReadOnly = config.writable !== "all" && !writable.some(({ target }) => target === "/");
  for (const mask of hidden) hideAliases(view, mask);
  // What lies in something hidden is hidden with it, and no mask could be made there.
  for (const { target } of hidden)
    if (nearest(view, target)?.type === "mask") view.mounts.delete(target);
  if (resolver !== undefined) add(view, resolver);
  for (const bind of selfBindsFor(view, rootReadOnly)) add(view, bind);
  const inMirrors = new Set(missing.map(({ target }) => target));
  const isCreated = ({ target }: ResolvedMount): boolean =>
    inMirrors.has(target) || isMadeInMemory(view, target);
  const mounts = [...view.mounts.values()]
    .map((mount) => ({ ...mount, create: isCreated(mount) }))
    .sort((a, b) => depth(a.target) - depth(b.target));
  return { view, mounts, mirrors: mirrorsFor(view, missing, rootReadOnly), rootReadOnly };
}

/** A view that mounts are added to. */
type Layered = Omit<View, "mounts"> & { readonly mounts: Map<string, ResolvedMount> };

/** A mount of the config, as the kernel is to have it. A mount point that has to be made is added to `missing`. */
function resolveMount(
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
    const above = nearest(view, at.path);
    if (above?.type === "proc")
      throw invalid(`${path}.target`, mount.target, "lies in a proc mount");
    if (above?.type === "dev" && DEV_LINKS.some((name) => at.path === `${above.target}/${name}`))
      throw invalid(
        `${path}.target`,
        mount.target,
        "is a symlink of the minimal /dev, on which nothing can be mounted",
        "Mount it at another path.",
      );
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

/** The symlinks in a `dev` mount. */
const DEV_LINKS: readonly string[] = ["fd", "stdin", "stdout", "stderr", "ptmx"];

function hostSource(path: string, field: string): { source: string; kind: "file" | "directory" } {
  const source = realPath(path);
  if (source === undefined)
    throw invalid(field, path, "does not exist on the host, or cannot be reached");
  return { source, kind: lstatSync(source).isDirectory() ? "directory" : "file" };
}

/**
 * The bind that makes a path writable; undefined where it is writable already. A path that a tmpfs covers is bound over it:
 * whoever names it wants to use it.
 */
function resolveWritable(view: View, path: string, index: number): ResolvedMount[] {
  const field = `writable[${index}]`;
  const covered = find(view, path, field);
  const at = covered.kind === "memory" ? find(withoutMemory(view), path, field) : covered;
  const mount = view.mounts.get(at.path);
  if (mount?.type === "tmpfs" || (mount?.type === "bind" && !mount.readOnly)) return [];
  if (mount !== undefined) {
    throw invalid(
      field,
      path,
      mount.type === "bind"
        ? `is the target of ${mount.path}, which is read-only`
        : `is the target of ${mount.path}, a ${mount.type} of the sandbox's own, in which nothing of the host can be written`,
      mount.type === "bind"
        ? "Change that mount instead."
        : "Leave it out: what can be written there is writable already.",
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

function resolveHidden(view: View, path: string, field: string): ResolvedMount {
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

/** Whether there is something below what is mounted in memory, so that it is this that covers it. */
function isUnder(view: View, path: string): boolean {
  try {
    return locate(withoutMemory(view), path).kind !== "missing";
  } catch {
    return true; // It cannot be told.
  }
}

/** What to say of a path at which nothing is. */
export function notThere(view: View, field: string, path: string): SandboxError {
  const cover = nearest(view, path);
  if (cover !== undefined && cover.type !== "bind" && isUnder(view, path)) {
    const hint = field.startsWith("hidden")
      ? "Nothing that lies there on the host can be seen inside as it is: leave it out."
      : `Make it visible with a bind mount or \`writable\`, or leave ${cover.path} out.`;
    return invalid(field, path, `is covered by the ${cover.type} on ${cover.target}`, hint);
  }
  return invalid(
    field,
    path,
    view.root === "/" ? "does not exist" : `does not exist in the root ${view.root}`,
  );
}
