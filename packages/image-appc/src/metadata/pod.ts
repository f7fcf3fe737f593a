import type { Pair } from "../manifest/fields.js";
import type { PodManifest } from "../manifest/pod-manifest.js";

/** What the metadata service knows of a pod. */
export interface Pod {
  /** RFC 4122. */
  readonly uuid: string;
  /** With the defaults filled in, and every image by its ID. */
  readonly manifest: PodManifest;
  /** By the names of the apps in the manifest. */
  readonly images: Readonly<Record<string, PodImage>>;
}

/** The image of one app. */
export interface PodImage {
  readonly id: string;
  /** The manifest, byte for byte as it lies in the image. */
  readonly manifest: Uint8Array;
  readonly annotations: readonly Pair[];
}

/** The annotations of an app: those of its image, replaced or complemented by those of the pod. */
export function annotationsOf(pod: Pod, app: string): readonly Pair[] {
  const own = pod.manifest.apps.find(({ name }) => name === app)?.annotations ?? [];
  const merged = new Map<string, string>();
  for (const { name, value } of [...(pod.images[app]?.annotations ?? []), ...own])
    merged.set(name, value);
  return [...merged].map(([name, value]) => ({ name, value }));
}
