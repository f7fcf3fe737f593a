import { readdirSync, realpathSync } from "node:fs";
import type { MountInput } from "@sandboxlib/core";
import { locate } from "@sandboxlib/core/internal";
import type { Volume } from "@sandboxlib/image";
import { orThrow, type RunStep } from "@sandboxlib/image/format";
import type { App, MountPoint } from "../manifest/app.js";
import { fieldError, show } from "../manifest/errors.js";
import { tidy } from "../manifest/fields.js";

/** A volume and the path at which an app sees it. */
export interface VolumeMount extends Volume {
  /** The path inside the sandbox. */
  readonly target: string;
  /** The field that asks for it, as errors call it. */
  readonly field: string;
}

type Volumes = Readonly<Record<string, Volume>>;

/**
 * Finds a volume for each mount point of an app.
 *
 * @throws SandboxError `IMAGE_INVALID` for a mount point without a volume, and for a volume without a mount point.
 */
export function volumeMountsOf(
  app: App | undefined,
  volumes: Volumes,
  runStep: RunStep = orThrow,
): VolumeMount[] {
  refuseUnused(app, volumes);
  return (app?.mountPoints ?? []).flatMap((point, index) =>
    runStep(() => [volumeMountAt(point, `app.mountPoints[${index}]`, volumes)], []),
  );
}

function volumeMountAt(
  { name, path, readOnly = false }: MountPoint,
  field: string,
  volumes: Volumes,
): VolumeMount {
  const volume = Object.hasOwn(volumes, name) ? volumes[name] : undefined;
  if (volume === undefined) {
    const reason = `the image expects a volume ${show(name)} at ${show(path)}`;
    throw fieldError(field, reason, `Give it a directory: --volume ${name}=PATH.`);
  }
  return { source: volume.source, target: path, readOnly: readOnly || volume.readOnly, field };
}

/** Refuses a volume for which an app has no mount point. @throws SandboxError `IMAGE_INVALID` */
export function refuseUnused(app: App | undefined, volumes: Volumes): void {
  const names = (app?.mountPoints ?? []).map(({ name }) => name);
  const unused = Object.keys(volumes).find((name) => !names.includes(name));
  if (unused === undefined) return;
  const hint = names.length === 0 ? "It has none." : `It has ${names.join(", ")}.`;
  throw fieldError("volumes", `the image has no mount point ${show(unused)}`, hint);
}

/**
 * Makes the mounts of an app: its volumes, and the default mounts of the specification as far as a config has them.
 *
 * @throws SandboxError `IMAGE_INVALID` for a source that is missing or leads through a symlink, and for targets within each
 * other.
 */
export function mountsOf(mounts: readonly VolumeMount[]): readonly MountInput[] {
  const targets = new Set<string>();
  const volumes = mounts.map(({ source, target, readOnly, field }) => {
    refuseSymlinks(source, field);
    refuseOverlap(targets, tidy(target), field);
    targets.add(tidy(target));
    return { type: "bind" as const, source, target: tidy(target), readOnly };
  });
  return [...DEFAULTS.filter(({ target }) => !targets.has(target)), ...volumes];
}

/** Writes a note for each volume that hides files of the image. */
export function maskNotes(mounts: readonly VolumeMount[], root: string): readonly string[] {
  return mounts
    .filter(({ target }) => holdsFiles(root, target))
    .map(({ target, field }) => `${field}: the volume hides what the image has at ${show(target)}`);
}

/**
 * Whether there are files in a directory of the image. A path that cannot be looked up is refused later, by the
 * sandbox.
 */
function holdsFiles(root: string, path: string): boolean {
  try {
    const { kind, host } = locate({ root, mounts: new Map() }, path);
    return kind === "directory" && host !== undefined && readdirSync(host).length > 0;
  } catch {
    return false;
  }
}

const DEFAULTS = [
  { type: "proc", target: "/proc" },
  { type: "dev", target: "/dev" },
  { type: "tmpfs", target: "/tmp" },
] as const;

/** Another user who can write to a directory above the source could replace a symlink, and so the volume. */
function refuseSymlinks(source: string, field: string): void {
  let real: string;
  try {
    real = realpathSync.native(source);
  } catch {
    throw fieldError(field, `there is no ${show(source)} on the host`, "A volume is never made.");
  }
  if (real === tidy(source)) return;
  throw fieldError(field, `${show(source)} leads through a symlink`, `Name ${show(real)} itself.`);
}

function refuseOverlap(targets: ReadonlySet<string>, target: string, field: string): void {
  const within = (one: string, other: string): boolean => `${one}/`.startsWith(`${other}/`);
  const other = [...targets].find((one) => within(one, target) || within(target, one));
  if (other === undefined) return;
  throw fieldError(field, `${show(target)} and ${show(other)} lie within each other`);
}
