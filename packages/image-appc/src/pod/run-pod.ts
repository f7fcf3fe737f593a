import { randomUUID } from "node:crypto";
import {
  type ConfigInput,
  NAMESPACES,
  type Prefer,
  type Sandbox,
  SandboxError,
  type SandboxResult,
} from "@sandboxlib/core";
import { type Ids, type ImageSandbox, openImageSandbox } from "@sandboxlib/image";
import type { AppcFragment } from "../config/fragment.js";
import type { PodApp, PodManifest } from "../manifest/pod-manifest.js";
import type { Pod } from "../metadata/answer.js";
import { type MetadataService, openMetadataService } from "../metadata/service.js";
import type { Shared } from "./namespaces.js";
import { type AppImage, type PlanOptions, planPod, reified } from "./plan.js";
import { type AppResult, type RunnableApp, runApps } from "./run-apps.js";
import { openVolumes } from "./volumes.js";

/** The unpacked image of one app of a pod. Nothing writes to its root. */
export interface OpenedImage extends AppImage {
  /** The image ID, `sha512-…`. */
  readonly id: string;
  /** The bytes of the manifest in the image. */
  readonly manifestBytes: Uint8Array;
  /** The name of the image in the cache. */
  readonly key: string;
}

/** How a pod is run. */
export interface PodOptions {
  /** The backend of every app. Default: the strongest one that supports the app. */
  readonly backend?: string | undefined;
  readonly prefer?: Prefer | undefined;
  /** The cgroup below which each app gets one of its own, as for `createSandbox`. */
  readonly cgroup?: string | undefined;
  /** Replaces the user and group of every app. */
  readonly user?: Ids | undefined;
  /** Unpacks an image. */
  openImage(image: PodApp["image"]): Promise<OpenedImage>;
  /** Adds what the caller wants to the config of an app. */
  amend?(config: ConfigInput): ConfigInput;
  /**
   * The namespaces of this process that the apps share. No other process should be in them. Each app has its own of those
   * that are not listed. With `isOnHost`, `network` is the network of the host.
   */
  readonly share: readonly Shared[];
  /** Whether the apps are in the network of the host. Default: no. */
  readonly isOnHost?: boolean | undefined;
  /** Whether to run a metadata service. This requires `network` in `share`. */
  readonly hasMetadata: boolean;
  /** Whether what cannot be enforced is reported in a note instead of refused. */
  readonly degrade?: boolean | undefined;
  /** Runs a command in the sandbox of an app. Without a command the app itself is run. */
  run(
    sandbox: Sandbox,
    argv: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<SandboxResult>;
  /** Called before anything runs, once for each thing that is not as the images and the pod say. */
  onNote?(note: string): void;
  /** Called before anything runs, with the sandbox of each app. */
  onSandbox?(sandbox: Sandbox): void;
}

/** How the apps ended, in the order of the manifest. */
export interface PodResult {
  readonly uuid: string;
  readonly apps: readonly (AppResult & { readonly name: string })[];
}

/**
 * Runs the apps of a pod, each in a sandbox of its own. They share the volumes, the namespaces in `share` and the metadata
 * service.
 *
 * @throws SandboxError `IMAGE_INVALID`, `CAPABILITY_UNSUPPORTED`, and what stops a run.
 */
export async function runPod(pod: PodManifest, options: PodOptions): Promise<PodResult> {
  if (options.hasMetadata && !options.share.includes("network")) {
    const message = "the metadata service cannot be reached from a network of the app's own";
    throw new SandboxError("CONFIG_INVALID", message, { path: "share" });
  }
  const images: OpenedImage[] = [];
  for (const { image } of pod.apps) images.push(await options.openImage(image));
  using volumes = openVolumes();
  const manifest = reified(pod, images);
  const uuid = randomUUID();
  const metadata = metadataOf(uuid, manifest, images);
  await using service = options.hasMetadata ? await openMetadataService(metadata) : undefined;
  const { apps, notes } = planPod(manifest, images, volumes, planOptionsOf(options, service));
  for (const note of notes) options.onNote?.(note);
  const names = pod.apps.map(({ name }) => name);
  const results = await runAll(apps, images, names, options);
  return { uuid, apps: results.map((one, index) => ({ ...one, name: names[index] ?? "" })) };
}

/** Makes all sandboxes before anything runs, and then runs the apps. */
async function runAll(
  apps: readonly AppcFragment[],
  images: readonly OpenedImage[],
  names: readonly string[],
  options: PodOptions,
): Promise<readonly AppResult[]> {
  const { backend, prefer, cgroup } = options;
  const opened: ImageSandbox[] = [];
  try {
    for (const [index, image] of images.entries()) {
      const { config } = apps[index] as AppcFragment;
      const wanted = configIn(options.amend?.(config) ?? config, options);
      const one = await openImageSandbox(image, wanted, { backend, prefer, cgroup });
      opened.push(one);
      options.onSandbox?.(one.sandbox);
      for (const note of one.notes) options.onNote?.(`${names[index]}: ${note}`);
    }
    return await runApps(
      opened.map(({ sandbox }, index): RunnableApp => {
        const { preStart, postStop } = apps[index] as AppcFragment;
        return { preStart, postStop, run: async (...how) => options.run(sandbox, ...how) };
      }),
    );
  } finally {
    for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
  }
}

function planOptionsOf(
  { degrade = false, isOnHost = false, user }: PodOptions,
  service: MetadataService | undefined,
): PlanOptions {
  return { metadataUrl: service?.url, degrade, user, isOnHost };
}

function metadataOf(uuid: string, manifest: PodManifest, images: readonly OpenedImage[]): Pod {
  const entries = manifest.apps.flatMap(({ name }, index) => {
    const image = images[index];
    if (image === undefined) return [];
    const annotations = image.manifest.annotations ?? [];
    return [[name, { id: image.id, manifest: image.manifestBytes, annotations }] as const];
  });
  return { uuid, manifest, images: Object.fromEntries(entries) };
}

/** Leaves the namespaces that the apps share out of those that the config isolates. */
function configIn(config: ConfigInput, { share }: PodOptions): ConfigInput {
  const shared: readonly string[] = share;
  return {
    ...config,
    network: share.includes("network") ? "host" : "none",
    isolate: (config.isolate ?? NAMESPACES).filter((name) => !shared.includes(name)),
  };
}
