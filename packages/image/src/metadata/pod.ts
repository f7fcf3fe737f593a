import type { Pair } from "../appc/fields.js";
import type { PodManifest } from "../appc/pod-manifest.js";

/** A pod, as its metadata service tells of it. */
export interface Pod {
  /** RFC 4122. */
  readonly uuid: string;
  /** With everything filled in: every volume, every image by its ID. */
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

/** The annotations of an app: those of its image, and what the pod puts in their place or beside them. */
export function annotationsOf(pod: Pod, app: string): readonly Pair[] {
  const own = pod.manifest.apps.find(({ name }) => name === app)?.annotations ?? [];
  const merged = new Map<string, string>();
  for (const { name, value } of [...(pod.images[app]?.annotations ?? []), ...own])
    merged.set(name, value);
  return [...merged].map(([name, value]) => ({ name, value }));
}
