import type { Ids, Volume } from "@sandboxlib/image";
import {
  type AppcFragment,
  appNameOf,
  fragmentOf,
  refuseUnmet,
  unmetNote,
} from "../config/config-of.js";
import { type Isolated, isolated } from "../config/isolators.js";
import { mountedOf } from "../config/mount-points.js";
import type { App } from "../manifest/app.js";
import { fault, show } from "../manifest/fault.js";
import type { Manifest } from "../manifest/image-manifest.js";
import type { PodApp, PodManifest, PodVolume } from "../manifest/pod-manifest.js";
import { mountedFrom, type PodVolumes, placedIn, unmetVolumes } from "./pod-volumes.js";

/** What {@link planned} takes beside the pod, its images and its volumes. */
export interface PodTerms {
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
 * The pod of one image, as if somebody had written a manifest for it.
 *
 * @throws SandboxError `IMAGE_INVALID` for a mount point without a volume, and for a volume without a mount point.
 */
export function podOf(
  { name, labels, app }: Manifest,
  id: string,
  volumes: Readonly<Record<string, Volume>>,
): PodManifest {
  mountedOf(app, volumes);
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

/** The manifest with the defaults filled in: every list is there, and every mount point of an app has its mount. */
export function reified(pod: PodManifest, images: readonly AppImage[]): PodManifest {
  const apps = pod.apps.map((entry, index) => {
    const app = appOf(entry, images[index]);
    const placed = placedIn(pod, entry, app, `apps[${index}]`);
    const mounts = placed.map(({ volume, path }, at) => {
      const appVolume = entry.mounts?.[at]?.appVolume;
      return { volume: volume.name, path, ...(appVolume !== undefined && { appVolume }) };
    });
    return { ...entry, ...(mounts.length > 0 && { mounts }) };
  });
  const { volumes = [], isolators = [], annotations = [], ports = [] } = pod;
  return { ...pod, apps, volumes, isolators, annotations, ports };
}

/** Turns each app into a part of a config, in the order of the manifest. A note says what is not as the pod has it. */
export function planned(
  pod: PodManifest,
  images: readonly AppImage[],
  volumes: PodVolumes,
  { metadataUrl, degrade, user, isOnHost }: PodTerms,
): { readonly apps: readonly AppcFragment[]; readonly notes: readonly string[] } {
  const whole = isolated(pod.isolators ?? [], "isolators");
  const unmet = [...whole.unmet, ...unmetVolumes(pod)];
  if (!degrade) refuseUnmet(unmet);
  const apps = pod.apps.map((entry, index) => {
    const app = appOf(entry, images[index]);
    const fragment = fragmentOf(app, images[index]?.rootDirectory ?? "/", {
      name: entry.name,
      mounted: mountedFrom(volumes, placedIn(pod, entry, app, `apps[${index}]`)),
      metadataUrl,
      degrade,
      user,
      readOnlyRoot: entry.readOnlyRootFS,
    });
    return bounded(fragment, whole);
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
  throw fault("apps", `neither the pod nor the image of ${show(entry.name)} says what to run`);
}

function bounded(fragment: AppcFragment, { limits }: Isolated): AppcFragment {
  const own = (fragment.config.limits ?? {}) as Readonly<Record<string, number>>;
  const least = Object.fromEntries(
    Object.entries(limits).map(([name, most]) => [name, Math.min(most, own[name] ?? most)]),
  );
  if (Object.keys(least).length === 0) return fragment;
  return { ...fragment, config: { ...fragment.config, limits: { ...own, ...least } } };
}

/** No port is forwarded, so a note is due unless the app listens on that port of the host itself. */
function portNotes(pod: PodManifest, images: readonly AppImage[], isOnHost: boolean): string[] {
  const known = pod.apps.flatMap((entry, index) => appOf(entry, images[index]).ports ?? []);
  return (pod.ports ?? []).flatMap(({ name, hostPort, hostIP, podPort }, index) => {
    const port = podPort ?? known.find((one) => one.name === name);
    if (port === undefined) throw fault(`ports[${index}]`, `no app has a port ${show(name)}`);
    if (isOnHost && port.port === hostPort && hostIP === undefined) return [];
    return [`ports[${index}]: ${name} is not forwarded to port ${hostPort} of the host`];
  });
}
