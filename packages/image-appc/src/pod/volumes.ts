import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type PrivateDirectory, privateDirectory } from "@sandboxlib/image/format";
import type { Unmet } from "../config/isolators.js";
import type { VolumeMount } from "../config/mount-points.js";
import type { App } from "../manifest/app.js";
import { fieldError, show } from "../manifest/errors.js";
import { tidy } from "../manifest/fields.js";
import type { PodApp, PodManifest, PodVolume } from "../manifest/pod-manifest.js";

/** The volumes of a pod, as long as it runs. */
export interface PodVolumes extends Disposable {
  /** Gives the directory of the host behind a volume. An empty volume is made when it is first asked for. */
  sourceOf(volume: PodVolume): string;
}

/** Opens the volumes of a pod. Those of kind `empty` are made in a directory of the cache, and removed on disposal. */
export function openVolumes(): PodVolumes {
  const sources = new Map<PodVolume, string>();
  // Other users cannot enter this directory, whatever modes the volumes have.
  let directory: PrivateDirectory | undefined;
  return {
    sourceOf(volume) {
      if (volume.source) return tidy(volume.source);
      directory ??= privateDirectory();
      const made = sources.get(volume) ?? join(directory.path, `${sources.size}-${volume.name}`);
      if (!sources.has(volume)) makeEmpty(made, volume);
      sources.set(volume, made);
      return made;
    },
    [Symbol.dispose]() {
      directory?.remove();
    },
  };
}

function makeEmpty(path: string, { mode = "0755", uid = 0, gid = 0 }: PodVolume): void {
  mkdirSync(path);
  chmodSync(path, Number.parseInt(mode, 8) & 0o1777);
  // Without root there is only one id inside, that of the caller.
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

/** A volume of the pod, and the path at which an app sees it. */
export interface PodVolumeMount {
  readonly volume: PodVolume;
  readonly path: string;
  readonly readOnly: boolean;
  readonly field: string;
}

/**
 * Finds the volumes that an app sees: by the mounts of the pod, and by those mount points of the app that these leave out.
 *
 * @param at - The app, as errors call it: `apps[0]`.
 * @throws SandboxError `IMAGE_INVALID` for a mount without a volume, and for a mount point without a mount.
 */
export function volumesIn(
  { volumes = [] }: Pick<PodManifest, "volumes">,
  { mounts = [] }: PodApp,
  { mountPoints = [] }: Pick<App, "mountPoints">,
  at: string,
): readonly PodVolumeMount[] {
  const named = (name: string): PodVolume | undefined =>
    volumes.find((volume) => volume.name === name);
  const pointAt = (path: string) => mountPoints.find((point) => tidy(point.path) === tidy(path));
  const mounted = mounts.map(({ volume: name, path, appVolume }, index) => {
    const field = `${at}.mounts[${index}]`;
    const volume = appVolume ?? named(name);
    if (volume === undefined) throw fieldError(field, `the pod has no volume ${show(name)}`);
    const readOnly = volume.readOnly === true || pointAt(path)?.readOnly === true;
    return { volume, path, readOnly, field };
  });
  const others = mountPoints.filter((point) =>
    mounted.every(({ path }) => tidy(path) !== tidy(point.path)),
  );
  return [
    ...mounted,
    ...others.map(({ name, path, readOnly = false }) => {
      const field = `${at}.mounts`;
      const volume = named(name);
      if (volume !== undefined)
        return { volume, path, readOnly: readOnly || volume.readOnly === true, field };
      throw fieldError(
        field,
        `nothing is mounted at ${show(path)}, where the app expects ${show(name)}`,
      );
    }),
  ];
}

/** Finds the directories of the host for the volumes that an app sees. */
export function volumeMountsFrom(
  volumes: PodVolumes,
  mounts: readonly PodVolumeMount[],
): VolumeMount[] {
  return mounts.map(({ volume, path, readOnly, field }) => ({
    source: volumes.sourceOf(volume),
    target: path,
    readOnly,
    field,
  }));
}

/** Lists the volumes that ask for a bind that is not recursive, which cannot be enforced. */
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
