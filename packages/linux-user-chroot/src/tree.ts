import { accessSync, closeSync, constants, openSync, realpathSync, statSync } from "node:fs";
import type { FileKind, ResolvedMount } from "@sandboxlib/core/backend";
import { type Located, locate } from "@sandboxlib/core/internal";
import type { MountOption } from "./command-line.js";
import { type Fatal, failed, isFatal } from "./fatal.js";

/** What the program will see: the result of making all mounts one after the other. */
export interface Tree {
  /** The real path of the host directory that becomes `/`. */
  readonly root: string;
  readonly rootReadOnly: boolean;
  /** The mounts by target, in which symlinks are resolved inside the root. No later mount lies over one of them. */
  readonly mounts: ReadonlyMap<string, ResolvedMount>;
}

/**
 * Works out what the mounts come to in the order in which they are given. A config has no order of mounts, so a mount over
 * which a later one lies is left out.
 */
export function treeOf(rootDir: string, options: readonly MountOption[]): Tree | Fatal {
  const root = openRoot(rootDir);
  if (isFatal(root)) return root;
  let tree: Tree = { root, rootReadOnly: false, mounts: new Map() };
  for (const option of options) {
    const next = mounted(tree, rootDir, option);
    if (isFatal(next)) return next;
    tree = next;
  }
  return tree;
}

/** Finds a path inside the root. The error for a path that is not there begins with `what`. */
export function lookUp(tree: Tree, path: string, what: string): Located | Fatal {
  try {
    const at = locate(tree, path);
    if (at.kind !== "missing" && at.kind !== "memory") return at;
    return failed(what, Object.assign(new Error(), { code: "ENOENT" }));
  } catch (error) {
    return failed(what, error);
  }
}

function openRoot(rootDir: string): string | Fatal {
  try {
    const root = realpathSync(rootDir);
    if (!statSync(root).isDirectory()) return failed("chdir", NOT_A_DIRECTORY);
    accessSync(root, constants.X_OK);
    return root;
  } catch (error) {
    return failed("chdir", error);
  }
}

const NOT_A_DIRECTORY: Error = Object.assign(new Error(), { code: "ENOTDIR" });

/** How errors call each kind of mount. */
const CALLED = {
  bind: "mount (MS_BIND)",
  readonly: "mount (MS_BIND)",
  proc: 'mount ("proc")',
  devapi: "setting up devapi",
} as const;

function mounted(tree: Tree, rootDir: string, option: MountOption): Tree | Fatal {
  const source = option.type === "bind" ? openSource(option.source) : undefined;
  if (isFatal(source)) return source;
  const inside = insideOf(rootDir, option);
  if (isFatal(inside)) return inside;
  const what = CALLED[option.type];
  const at = lookUp(tree, inside, what);
  if (isFatal(at)) return at;
  if (at.kind !== "directory" && (option.type === "proc" || option.type === "devapi"))
    return failed(what, NOT_A_DIRECTORY);
  if (source !== undefined && source.kind !== at.kind) return failed(what, NOT_A_DIRECTORY);
  if (option.type !== "readonly") return mountOver(tree, at.path, mountOf(option, source));
  if (at.host === undefined) return { fatal: `--mount-readonly ${option.dest}: ${IN_MEMORY}` };
  return mountOver(tree, at.path, {
    type: "bind",
    source: at.host,
    kind: at.kind as FileKind,
    readOnly: true,
  });
}

const IN_MEMORY = "cannot be had for what --mount-proc or --mount-devapi has mounted";

type Attached =
  | { readonly type: "proc" | "dev" }
  | {
      readonly type: "bind";
      readonly source: string;
      readonly kind: FileKind;
      readonly readOnly: boolean;
    };

function mountOf(
  option: Exclude<MountOption, { type: "readonly" }>,
  source: { readonly path: string; readonly kind: FileKind } | undefined,
): Attached {
  if (option.type === "proc") return { type: "proc" };
  if (option.type === "devapi" || source === undefined) return { type: "dev" };
  return { type: "bind", source: source.path, kind: source.kind, readOnly: false };
}

/** Adds a mount. What was mounted at the target or below it can no longer be seen. */
function mountOver(tree: Tree, target: string, attached: Attached): Tree | Fatal {
  if (target === "/") {
    if (attached.type !== "bind")
      return { fatal: `${attached.type}: nothing but a bind can be mounted on /` };
    return { root: attached.source, rootReadOnly: attached.readOnly, mounts: new Map() };
  }
  const left = [...tree.mounts].filter(
    ([path]) => path !== target && !path.startsWith(`${target}/`),
  );
  const mount: ResolvedMount = { ...attached, target, path: target, create: false };
  return { ...tree, mounts: new Map([...left, [target, mount]]) };
}

/**
 * Finds DEST inside the root. As in the original, its path on the host is ROOTDIR followed by DEST, without a slash in
 * between.
 */
function insideOf(rootDir: string, { type, dest }: MountOption): string | Fatal {
  const option = `--mount-${type}: DEST ${JSON.stringify(dest)}`;
  if (dest.split("/").includes("..")) return { fatal: `${option} must not contain ".."` };
  if (dest === "" || dest.startsWith("/") || rootDir.endsWith("/")) return `/${dest}`;
  return { fatal: `${option} must start with "/": it would lie beside ROOTDIR, not in it` };
}

function openSource(source: string): { path: string; kind: FileKind } | Fatal {
  try {
    const path = realpathSync(source);
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    return { path, kind: statSync(path).isDirectory() ? "directory" : "file" };
  } catch {
    return { fatal: "Couldn't open bind mount source" };
  }
}
