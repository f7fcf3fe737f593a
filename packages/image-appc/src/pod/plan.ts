import type { Ids, Volume } from "@sandboxlib/image";
import { appNameOf } from "../config/config-of.js";
import { type AppcFragment, fragmentOf, refuseUnmet, unmetNote } from "../config/fragment.js";
import { effectsOf, type IsolatorEffects } from "../config/isolators.js";
import { volumeMountsOf } from "../config/mount-points.js";
import type { App } from "../manifest/app.js";
import { fieldError, show } from "../manifest/errors.js";
import type { Manifest } from "../manifest/image-manifest.js";
import type { PodApp, PodManifest, PodVolume } from "../manifest/pod-manifest.js";
import { type PodVolumes, unmetVolumes, volumeMountsFrom, volumesIn } from "./volumes.js";

/** What {@link planPod} takes beside the pod, its images and its volumes. */
export interface PlanOptions {
  readonly metadataUrl: string | undefined;
  /** Whether what cannot be enforced is reported in a note instead of refused. */
  readonly degrade: boolean;
  /** Replaces the user and group of every app. */
  readonly user?: Ids | undefined;
  /** Whether the apps are in the host's network. */
  readonly isOnHost: boolean;
}

/** An image and its unpacked root. */
export interface AppImage {
  readonly manifest: Manifest;
  readonly rootDirectory: string;
}

/**
 * Makes the pod manifest for a single image.
 *
 * @throws SandboxError `IMAGE_INVALID` for a mount point without a volume, and for a volume without a mount point.
 */
export function podOf(
  { name, labels, app }: Manifest,
  id: string,
  volumes: Readonly<Record<string, Volume>>,
): PodManifest {
  volumeMountsOf(app, volumes);
  const mounts = (app?.mountPoints ?? []).map((point) => ({
    volume: point.name,
    path: point.path,
  }));
  return {
    acKind: "PodManifest",
    acVersion: "0.8.11",
    apps: [
      {
        name: appNameOf(name),
        image: { name, id, ...(labels !== undefined && { labels }) },
        mounts,
      },
    ],
    volumes: Object.entries(volumes).map(
      ([volume, { source, readOnly }]): PodVolume => ({
        name: volume,
        kind: "host",
        source,
        readOnly,
      }),
    ),
  };
}

/** Fills in the defaults of a manifest: every list is there, and every mount point of an app has its mount. */
export function reified(pod: PodManifest, images: readonly AppImage[]): PodManifest {
  const apps = pod.apps.map((entry, index) => {
    const app = appOf(entry, images[index]);
    const found = volumesIn(pod, entry, app, `apps[${index}]`);
    const mounts = found.map(({ volume, path }, at) => {
      const appVolume = entry.mounts?.[at]?.appVolume;
      return { volume: volume.name, path, ...(appVolume !== undefined && { appVolume }) };
    });
    return { ...entry, ...(mounts.length > 0 && { mounts }) };
  });
  const { volumes = [], isolators = [], annotations = [], ports = [] } = pod;
  return { ...pod, apps, volumes, isolators, annotations, ports };
}

/**
 * Turns each app into fields of a config, in the order of the manifest. A note says what is not as the pod asks for.
 *
 * @throws SandboxError `IMAGE_INVALID`; `CAPABILITY_UNSUPPORTED` for what cannot be enforced.
 */
export function planPod(
  pod: PodManifest,
  images: readonly AppImage[],
  volumes: PodVolumes,
  { metadataUrl, degrade, user, isOnHost }: PlanOptions,
): { readonly apps: readonly AppcFragment[]; readonly notes: readonly string[] } {
  const whole = effectsOf(pod.isolators ?? [], "isolators");
  const unmet = [...whole.unmet, ...unmetVolumes(pod)];
  if (!degrade) refuseUnmet(unmet);
  const apps = pod.apps.map((entry, index) => {
    const app = appOf(entry, images[index]);
    const fragment = fragmentOf(app, images[index]?.rootDirectory ?? "/", {
      name: entry.name,
      mounts: volumeMountsFrom(volumes, volumesIn(pod, entry, app, `apps[${index}]`)),
      metadataUrl,
      degrade,
      user,
      readOnlyRoot: entry.readOnlyRootFS,
    });
    return withLimits(fragment, whole);
  });
  const alone = Object.keys(whole.limits).map(
    (name) => `isolators: ${name} is limited for each app alone, not for all of them together`,
  );
  const own = apps.flatMap((app, index) =>
    app.notes.map((note) => `${pod.apps[index]?.name}: ${note}`),
  );
  const notes = [
    ...own,
    ...whole.notes,
    ...alone,
    ...unmet.map(unmetNote),
    ...portNotes(pod, images, isOnHost),
  ];
  return { apps, notes };
}

function appOf(entry: PodApp, image: AppImage | undefined): App {
  const app = entry.app ?? image?.manifest.app;
  if (app !== undefined) return app;
  throw fieldError("apps", `neither the pod nor the image of ${show(entry.name)} says what to run`);
}

/** Adds the limits of the pod to those of an app. Where both have a limit, the lower one counts. */
function withLimits(fragment: AppcFragment, { limits }: IsolatorEffects): AppcFragment {
  const own = (fragment.config.limits ?? {}) as Readonly<Record<string, number>>;
  const least = Object.fromEntries(
    Object.entries(limits).map(([name, most]) => [name, Math.min(most, own[name] ?? most)]),
  );
  if (Object.keys(least).length === 0) return fragment;
  return { ...fragment, config: { ...fragment.config, limits: { ...own, ...least } } };
}

/** Writes a note for each port, since none is forwarded, unless the app listens on that port of the host itself. */
function portNotes(pod: PodManifest, images: readonly AppImage[], isOnHost: boolean): string[] {
  const known = pod.apps.flatMap((entry, index) => appOf(entry, images[index]).ports ?? []);
  return (pod.ports ?? []).flatMap(({ name, hostPort, hostIP, podPort }, index) => {
    const port = podPort ?? known.find((one) => one.name === name);
    if (port === undefined) throw fieldError(`ports[${index}]`, `no app has a port ${show(name)}`);
    if (isOnHost && port.port === hostPort && hostIP === undefined) return [];
    return [`ports[${index}]: ${name} is not forwarded to port ${hostPort} of the host`];
  });
}
