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
import type { AppcFragment } from "../config/config-of.js";
import type { PodApp, PodManifest } from "../manifest/pod-manifest.js";
import type { Pod } from "../metadata/pod.js";
import { type MetadataService, openMetadataService } from "../metadata/service.js";
import type { Shared } from "./namespaces.js";
import { type AppImage, type PodTerms, planned, reified } from "./pod-plan.js";
import { openVolumes } from "./pod-volumes.js";
import { type AppResult, type RunnableApp, runApps } from "./run-apps.js";

/** The image of one app of a pod, unpacked. Its root is only read. */
export interface OpenedImage extends AppImage {
  /** `sha512-…`. */
  readonly id: string;
  /** The manifest, byte for byte as it lies in the image. */
  readonly manifestBytes: Uint8Array;
  /** Its name in the cache. */
  readonly key: string;
}

/** How a pod is run. */
export interface PodOptions {
  /** The backend of every app. Default: the strongest one that can honour the app. */
  readonly backend?: string | undefined;
  readonly prefer?: Prefer | undefined;
  /** As for `createSandbox`: where each app gets a cgroup. */
  readonly cgroup?: string | undefined;
  /** Replaces the user and group of every app. */
  readonly user?: Ids | undefined;
  /** Unpacks an image. */
  openImage(image: PodApp["image"]): Promise<OpenedImage>;
  /** Changes the config of an app, as the caller wants it. */
  amend?(config: ConfigInput): ConfigInput;
  /**
   * The namespaces of this process that the apps share; it should be alone in them. What is not listed, each app has for
   * itself; `network` may be listed also where it is the host's, which `isOnHost` says.
   */
  readonly share: readonly Shared[];
  readonly isOnHost?: boolean | undefined;
  /** Whether there is a metadata service, for which `network` has to be in `share`. */
  readonly hasMetadata: boolean;
  /** Whether what cannot be enforced is reported in a note instead of refused. */
  readonly degrade?: boolean | undefined;
  /** Runs one command in an app's sandbox; without one, the app itself. */
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
  const told = toldOf(uuid, manifest, images);
  await using service = options.hasMetadata ? await openMetadataService(told) : undefined;
  const { apps, notes } = planned(manifest, images, volumes, termsOf(options, service));
  for (const note of notes) options.onNote?.(note);
  const names = pod.apps.map(({ name }) => name);
  const results = await runAll(apps, images, names, options);
  return { uuid, apps: results.map((one, index) => ({ ...one, name: names[index] ?? "" })) };
}

/** Every sandbox is made before anything runs. */
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

function termsOf(
  { degrade = false, isOnHost = false, user }: PodOptions,
  service: MetadataService | undefined,
): PodTerms {
  return { metadataUrl: service?.url, degrade, user, isOnHost };
}

function toldOf(uuid: string, manifest: PodManifest, images: readonly OpenedImage[]): Pod {
  const entries = manifest.apps.flatMap(({ name }, index) => {
    const image = images[index];
    if (image === undefined) return [];
    const annotations = image.manifest.annotations ?? [];
    return [[name, { id: image.id, manifest: image.manifestBytes, annotations }] as const];
  });
  return { uuid, manifest, images: Object.fromEntries(entries) };
}

/** The app's config, in the namespaces that it shares. */
function configIn(config: ConfigInput, { share }: PodOptions): ConfigInput {
  const shared: readonly string[] = share;
  return {
    ...config,
    network: share.includes("network") ? "host" : "none",
    isolate: (config.isolate ?? NAMESPACES).filter((name) => !shared.includes(name)),
  };
}
