import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Held, privateDirectory } from "@sandboxlib/image/format";
import type { Unmet } from "../config/isolators.js";
import type { Mounted } from "../config/mount-points.js";
import type { App } from "../manifest/app.js";
import { fault, show } from "../manifest/fault.js";
import type { PodApp, PodManifest, PodVolume } from "../manifest/pod-manifest.js";
import { tidy } from "../manifest/text.js";

/** The volumes of a pod while it runs. */
export interface PodVolumes extends Disposable {
  /** The directory of the host behind a volume. */
  sourceOf(volume: PodVolume): string;
}

/** Makes the volumes of kind `empty`, in a directory of the cache. Disposing removes them with all that they hold. */
export function openVolumes(): PodVolumes {
  const sources = new Map<PodVolume, string>();
  // Other users cannot enter it, whatever modes the volumes have.
  let held: Held | undefined;
  return {
    sourceOf(volume) {
      if (volume.source) return tidy(volume.source);
      held ??= privateDirectory();
      const made = sources.get(volume) ?? join(held.path, `${sources.size}-${volume.name}`);
      if (!sources.has(volume)) makeEmpty(made, volume);
      sources.set(volume, made);
      return made;
    },
    [Symbol.dispose]() {
      held?.remove();
    },
  };
}

function makeEmpty(path: string, { mode = "0755", uid = 0, gid = 0 }: PodVolume): void {
  mkdirSync(path);
  chmodSync(path, Number.parseInt(mode, 8) & 0o1777);
  // Without root there is one id inside, the caller's.
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

/** A volume, and where an app sees it: by a mount of the pod, or by a mount point of the app. */
export interface Placed {
  readonly volume: PodVolume;
  readonly path: string;
  readonly readOnly: boolean;
  readonly field: string;
}

/** @throws SandboxError `IMAGE_INVALID` for a volume or a mount that is not there. */
export function placedIn(
  { volumes = [] }: Pick<PodManifest, "volumes">,
  { mounts = [] }: PodApp,
  { mountPoints = [] }: Pick<App, "mountPoints">,
  at: string,
): readonly Placed[] {
  const named = (name: string): PodVolume | undefined =>
    volumes.find((volume) => volume.name === name);
  const pointAt = (path: string) => mountPoints.find((point) => tidy(point.path) === tidy(path));
  const placed = mounts.map(({ volume: name, path, appVolume }, index) => {
    const field = `${at}.mounts[${index}]`;
    const volume = appVolume ?? named(name);
    if (volume === undefined) throw fault(field, `the pod has no volume ${show(name)}`);
    const readOnly = volume.readOnly === true || pointAt(path)?.readOnly === true;
    return { volume, path, readOnly, field };
  });
  const left = mountPoints.filter((point) =>
    placed.every(({ path }) => tidy(path) !== tidy(point.path)),
  );
  return [
    ...placed,
    ...left.map(({ name, path, readOnly = false }) => {
      const field = `${at}.mounts`;
      const volume = named(name);
      if (volume !== undefined)
        return { volume, path, readOnly: readOnly || volume.readOnly === true, field };
      throw fault(
        field,
        `nothing is mounted at ${show(path)}, where the app expects ${show(name)}`,
      );
    }),
  ];
}

/** As {@link Mounted}, with the directories of the host. */
export function mountedFrom(volumes: PodVolumes, placed: readonly Placed[]): Mounted[] {
  return placed.map(({ volume, path, readOnly, field }) => ({
    source: volumes.sourceOf(volume),
    target: path,
    readOnly,
    field,
  }));
}

/** The volumes that should leave out what is mounted below their source: our binds are recursive. */
export function unmetVolumes({ volumes = [], apps }: PodManifest): Unmet[] {
  const named = volumes.map((volume, index) => [`volumes[${index}]`, volume] as const);
  const own = apps.flatMap(({ mounts = [] }, app) =>
    mounts.flatMap(({ appVolume }, index) =>
      appVolume === undefined
        ? []
        : [[`apps[${app}].mounts[${index}].appVolume`, appVolume] as const],
    ),
  );
  return [...named, ...own]
    .filter(([, volume]) => volume.kind === "host" && volume.recursive === false)
    .map(([path]) => ({
      path: `${path}.recursive`,
      reason: "what is mounted below the source is seen, too",
    }));
}
