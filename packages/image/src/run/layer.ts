import { chmodSync, chownSync, lstatSync, mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "@sandboxlib/core";
import { type Held, hold } from "../cache/held.js";
import { cachePlace } from "../cache/place.js";
import type { Image } from "../image.js";
import { invalidImage } from "../invalid.js";
import { runTool } from "./run-tool.js";

/** The directories that a run uses of an image. */
export interface Layer {
  readonly kind: "shared" | "overlay" | "copy";
  /** The directory of the host that becomes `/`. */
  readonly root: string;
  readonly overlay?: { readonly upper: string; readonly work: string };
  /** A directory of this run alone, in which mount points can be made; undefined for a layer that runs share. */
  readonly own?: string;
  remove(): void;
}

/** The part of an image that runs need. */
export type ImageRoot = Pick<Image, "key" | "rootDirectory">;

/** The root itself, for a run that writes nothing. `gc` does not remove the image until the layer is removed. */
export function sharedLayer(image: ImageRoot): Layer {
  const held = image.key === "" ? undefined : heldFor(image);
  return { kind: "shared", root: image.rootDirectory, remove: () => held?.remove() };
}

/**
 * An overlay over the root, with two directories on disk: one for what the run writes, one for the kernel's own use.
 *
 * @throws SandboxError `CAPABILITY_UNSUPPORTED` where the cache lies on an overlay: one cannot be written to another.
 */
export function overlayLayer(image: ImageRoot): Layer {
  const { rootDirectory } = image;
  const held = heldFor(image);
  if (statfsSync(held.path).type === OVERLAYFS) {
    held.remove();
    throw new SandboxError("CAPABILITY_UNSUPPORTED", "the cache of images lies on an overlay");
  }
  const [upper, work] = [join(held.path, "upper"), join(held.path, "work")];
  mkdirSync(upper);
  mkdirSync(work);
  // The program sees its owner and mode as those of `/`.
  const { mode, uid, gid } = lstatSync(rootDirectory);
  chmodSync(upper, mode & 0o7777);
  if (process.getuid?.() === 0) chownSync(upper, uid, gid);
  const overlay = { upper, work };
  return { kind: "overlay", root: rootDirectory, overlay, own: upper, remove: held.remove };
}

const OVERLAYFS = 0x794c7630;

/** A copy of the root. On a file system with reflinks that takes little time and space. */
export async function copyLayer(image: ImageRoot): Promise<Layer> {
  const held = heldFor(image);
  const copy = join(held.path, "root");
  try {
    const failed = await copyTree(image.rootDirectory, copy);
    if (failed !== undefined)
      throw invalidImage(`the image cannot be copied for the run: ${failed}`);
  } catch (error) {
    held.remove();
    throw error;
  }
  return { kind: "copy", root: copy, own: copy, remove: held.remove };
}

/** Not every cp(1) knows of reflinks. */
async function copyTree(from: string, to: string): Promise<string | undefined> {
  const failed = await runTool("cp", ["-a", "--reflink=auto", "--", from, to]);
  return failed?.includes("reflink") === true ? runTool("cp", ["-a", from, to]) : failed;
}

/** Keeps `gc` from removing the image, which it may have done just before. */
function heldFor({ key, rootDirectory }: ImageRoot): Held {
  const held = hold(cachePlace(), key);
  if (lstatSync(rootDirectory, { throwIfNoEntry: false }) !== undefined) return held;
  held.remove();
  throw invalidImage("the image has been removed from the cache", "Open it again.");
}
