import { statSync } from "node:fs";
import type { Host } from "../backend/backend.js";
import type { ResolvedConfig, ResolvedMount } from "../backend/resolved-config.js";
import { isExactVariable } from "../config/text.js";
import { type Config, limitsWithout } from "../config/types.js";
import { errnoOf } from "../host/host.js";
import type { SandboxError } from "../result/error.js";
import { idMapFor } from "./id-map.js";
import { mountAll, notThere } from "./mounts.js";
import { find, invalid, realPath, type View, viewAt, viewOf } from "./view.js";

/**
 * Looks up every path of a config on this host and decides what the config leaves open.
 *
 * @param mayCreate - Whether the backend provides mount points that the root lacks.
 * @throws SandboxError `PATH_INVALID`, naming the field whose path is missing or of the wrong kind.
 */
export function resolvePaths(config: Config, host: Host, mayCreate = false): ResolvedConfig {
  const root = hostDirectory(config.root, "root");
  const overlay = config.overlay && hostDirectories(config.overlay);
  const { view, rootReadOnly, mounts, mirrors } = mountAll(
    config,
    viewAt(root, overlay),
    mayCreate,
  );
  const cwd = resolveCwd(view, config.cwd);
  const { user, hostname, limits, stop, allow } = config;
  return {
    root,
    rootReadOnly,
    ...(overlay !== undefined && { overlay }),
    mounts,
    mirrors,
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
    ...(allow.length > 0 && { allow }),
    limits: limitsWithout(limits, () => false),
    ...(stop !== undefined && { stop }),
  };
}

function resolveCwd(view: View, path: string): string {
  const at = find(view, path, "cwd");
  if (at.kind === "missing" || at.kind === "memory") {
    // A directory that has to be made for a deeper mount point is there as well.
    if ([...view.mounts.keys()].some((target) => target.startsWith(`${at.path}/`))) return at.path;
    throw notThere(view, "cwd", path);
  }
  if (at.kind !== "directory") throw invalid("cwd", path, "is not a directory");
  return at.path;
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
  assertEntered(real, path, field);
  return real;
}

/** What lies in a directory that may not be entered could not be looked up, and the error would name that. */
function assertEntered(real: string, path: string, field: string): void {
  try {
    statSync(`${real}/.`);
  } catch (cause) {
    const why = `may not be entered by this user: ${errnoOf(cause)}`;
    throw invalid(field, path, why, "See its owner and its mode with `ls -ld`.", cause);
  }
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

/**
 * Checks again, right before a run, that no path has changed its meaning: a program with a writable root may have put
 * a symlink where a mount point was, for the next run to follow.
 *
 * @throws SandboxError `PATH_INVALID`
 */
export function recheckPaths({ root, overlay, mounts, cwd }: ResolvedConfig): void {
  if (realPath(root) !== root) throw changed(root, "root");
  const view = viewOf({ root, mounts, ...(overlay !== undefined && { overlay }) });
  for (const mount of mounts) {
    if (mount.type === "bind" && mount.source !== "" && realPath(mount.source) !== mount.source)
      throw changed(mount.source, mount.path);
    if (mount.create) continue;
    const { path, kind } = find(view, mount.target, mount.path, true);
    if (path !== mount.target || kind !== kindOf(mount)) throw changed(mount.target, mount.path);
  }
  const at = find(view, cwd, "cwd");
  if (at.path !== cwd || at.kind === "missing") throw changed(cwd, "cwd");
}

function kindOf(mount: ResolvedMount): string {
  return mount.type === "bind" || mount.type === "mask" ? mount.kind : "directory";
}

function changed(path: string, field: string): SandboxError {
  return invalid(
    field,
    path,
    "is not what it was when the sandbox was made",
    "Make a new sandbox after the change.",
  );
}
