import { spawn } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "@sandboxlib/core";
import { realHost } from "@sandboxlib/core/backend";
import { makePrivateDirectory, openCache, type PrivateDirectory } from "../cache/directories.js";
import { invalidImage } from "../errors.js";
import type { Image } from "../image.js";
import { chown } from "../unpack/ownership.js";

/** The directories that a run of an image uses. */
export interface Layer {
  readonly kind: "shared" | "overlay" | "copy";
  /** The directory of the host that becomes `/`. */
  readonly root: string;
  readonly overlay?: { readonly upper: string; readonly work: string };
  /**
   * The directory in which mount points can be made for this run alone; undefined when the run shares all directories.
   */
  readonly private?: string;
  remove(): void;
}

/** The part of an image that runs need. */
export type ImageRoot = Pick<Image, "key" | "rootDirectory">;

/** Uses the root of the image itself, for a run that writes nothing. `gc` keeps the image until the layer is removed. */
export function sharedLayer(image: ImageRoot): Layer {
  const directory = image.key === "" ? undefined : directoryFor(image);
  return { kind: "shared", root: image.rootDirectory, remove: () => directory?.remove() };
}

/**
 * Makes an overlay over the root, of two directories on disk: one for what the run writes, and one that the kernel needs.
 *
 * @throws SandboxError `CAPABILITY_UNSUPPORTED` when the cache lies on an overlay itself, which cannot hold another one.
 */
export function overlayLayer(image: ImageRoot): Layer {
  const { rootDirectory } = image;
  const { path, remove } = directoryFor(image);
  if (statfsSync(path).type === OVERLAYFS) {
    remove();
    throw new SandboxError("CAPABILITY_UNSUPPORTED", "the cache of images lies on an overlay");
  }
  const [upper, work] = [join(path, "upper"), join(path, "work")];
  mkdirSync(upper);
  mkdirSync(work);
  // The program sees the owner and mode of this directory as those of `/`.
  const { mode, uid, gid } = lstatSync(rootDirectory);
  chmodSync(upper, mode & 0o7777);
  chown(upper, uid, gid);
  return { kind: "overlay", root: rootDirectory, overlay: { upper, work }, private: upper, remove };
}

const OVERLAYFS = 0x794c7630;

/** Makes a copy of the root. On a file system with reflinks this takes little time and space. */
export async function copyLayer(image: ImageRoot): Promise<Layer> {
  const { path, remove } = directoryFor(image);
  const copy = join(path, "root");
  try {
    const failed = await copyTree(image.rootDirectory, copy);
    if (failed !== undefined)
      throw invalidImage(`the image cannot be copied for the run: ${failed}`);
  } catch (error) {
    remove();
    throw error;
  }
  return { kind: "copy", root: copy, private: copy, remove };
}

/** Makes a directory for a run, after which `gc` keeps the image. `gc` may have removed it just before. */
function directoryFor({ key, rootDirectory }: ImageRoot): PrivateDirectory {
  const directory = makePrivateDirectory(openCache(), key);
  if (lstatSync(rootDirectory, { throwIfNoEntry: false }) !== undefined) return directory;
  directory.remove();
  throw invalidImage("the image has been removed from the cache", "Open it again.");
}

/** Copies a directory with cp(1). Some versions of it have no option for reflinks. @returns the error message, if any. */
async function copyTree(from: string, to: string): Promise<string | undefined> {
  const failed = await runTool("cp", ["-a", "--reflink=auto", "--", from, to]);
  return failed?.includes("reflink") === true ? runTool("cp", ["-a", from, to]) : failed;
}

/** Runs a tool of the host. @returns its error message; undefined when it succeeded. */
function runTool(program: string, args: readonly string[]): Promise<string | undefined> {
  const path = realHost().which(program);
  if (path === undefined) throw invalidImage(`${program}(1) is not installed`);
  return new Promise((resolve) => {
    const child = spawn(path, args, {
      env: { LC_ALL: "C" },
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = stderr.length > 4096 ? stderr : stderr + text;
    });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) =>
      resolve(code === 0 ? undefined : (stderr.split("\n", 1)[0] ?? "") || `exit status ${code}`),
    );
  });
}
