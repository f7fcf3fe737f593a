import type { Ids, Volume } from "@sandboxlib/image";
import { orThrow, type RunStep } from "@sandboxlib/image/format";
import { fieldError, show } from "../manifest/errors.js";
import type { Manifest } from "../manifest/image-manifest.js";
import { type AppcFragment, envOf, fragmentOf } from "./fragment.js";
import { mountsOf, refuseUnused, volumeMountsOf } from "./mount-points.js";

/** What the caller of a run says beside the image. */
export interface AppcOptions {
  /** The volumes of `--volume NAME=PATH[:ro]`, by their names. */
  readonly volumes: Readonly<Record<string, Volume>>;
  /** The URL of the run's metadata service; undefined without one. */
  readonly metadataUrl?: string | undefined;
  /** Whether an isolator that cannot be enforced is reported in a note instead of refused. Default: no. */
  readonly degrade?: boolean | undefined;
  /** Replaces the user and group of the app, which are then not looked up. */
  readonly user?: Ids | undefined;
}

/**
 * Turns an image manifest into fields of a config.
 *
 * @param root - The unpacked root, in which users and groups are looked up.
 * @throws SandboxError `IMAGE_INVALID`; `CAPABILITY_UNSUPPORTED` for an isolator that cannot be enforced.
 */
export function configOf(
  manifest: Manifest,
  root: string,
  options: AppcOptions,
  runStep: RunStep = orThrow,
): AppcFragment {
  const { app } = manifest;
  const platform = runStep(() => platformNotes(manifest), []);
  const { volumes, metadataUrl, degrade = false, user } = options;
  const name = appNameOf(manifest.name);
  if (app === undefined) {
    refuseUnused(app, volumes);
    const config = { env: envOf(undefined, name, metadataUrl), mounts: mountsOf([]) };
    return {
      config: { ...config, cwd: "/", writable: "all" },
      notes: platform,
      preStart: [],
      postStop: [],
    };
  }
  const mounts = volumeMountsOf(app, volumes, runStep);
  const settings = { name, mounts, metadataUrl, degrade, user };
  const fragment = fragmentOf(app, root, settings, runStep);
  return { ...fragment, notes: [...platform, ...fragment.notes] };
}

/**
 * Refuses an image for another operating system. An image for another processor gets a note, since the kernel may have an
 * emulator for it.
 */
function platformNotes({ labels = [] }: Manifest): string[] {
  const label = (name: string): string | undefined =>
    labels.find((one) => one.name === name)?.value;
  const [os, arch] = [label("os"), label("arch")];
  if (os !== undefined && os !== process.platform)
    throw fieldError("labels", `the image is for ${show(os)}, and this is ${process.platform}`);
  const own = ARCHITECTURES[process.arch];
  if (os === undefined || arch === undefined || arch === own) return [];
  return [
    `labels: the image is for the processor ${show(arch)}, and this is ${show(own ?? process.arch)}`,
  ];
}

/** The specification's names of architectures, by Node's names. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "i386",
  arm64: "aarch64",
};

/** Makes the name of the app of an image that has only one: the last part of the image's own name, as an AC Name. */
export function appNameOf(image: string): string {
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.replaceAll(/[^a-z0-9]+/g, "-").replace(/^-/, "");
}
