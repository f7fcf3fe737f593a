import {
  type ConfigInput,
  createSandbox,
  isSandboxError,
  type Sandbox,
  SandboxError,
  type SandboxOptions,
} from "@sandboxlib/core";
import { LAST_ID } from "../ids.js";
import { copyLayer, type ImageRoot, type Layer, overlayLayer, sharedLayer } from "./layer.js";
import { makeMountPoints } from "./mount-points.js";

/** A sandbox of an image. Its runs see what the others have written; that is removed when it is disposed of. */
export interface ImageSandbox extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** The config that was asked for, with the root filled in. */
  readonly config: ConfigInput;
  /** One line for each thing that is not as the image says. */
  readonly notes: readonly string[];
}

/**
 * Makes a sandbox of an image. Without `writable`, or with `"all"`, the program may write everywhere: to a layer of its own.
 * With an empty list the unpacked image itself is used, read-only, or a copy of it where `prefer` has let read-only go.
 *
 * @param config - The image's own, and what the caller wants otherwise. Its root is not looked at.
 * @throws SandboxError as `createSandbox`
 */
export async function openImageSandbox(
  image: ImageRoot,
  config: ConfigInput,
  options: SandboxOptions = {},
): Promise<ImageSandbox> {
  const { writable = "all" } = config;
  const wanted = { ...config, writable };
  const attempts = attemptsFor(wanted);
  for (const [index, attempt] of attempts.entries()) {
    try {
      return await attempt(image, wanted, options);
    } catch (error) {
      if (index === attempts.length - 1 || !isLack(error)) throw error;
    }
  }
  throw new TypeError("there is always an attempt");
}

type Attempt = (
  image: ImageRoot,
  config: ConfigInput,
  options: SandboxOptions,
) => Promise<ImageSandbox>;

/** The best attempt comes first. The last one asks a backend for no more than the config does. */
function attemptsFor(config: ConfigInput): Attempt[] {
  const kinds = kindsFor(config.writable);
  return kinds.flatMap((kind) =>
    usersFor(config, kind).map(
      ({ user, note }): Attempt =>
        async (image, given, options) =>
          open(image, kind, { ...given, user }, options, note),
    ),
  );
}

function kindsFor(writable: ConfigInput["writable"]): Layer["kind"][] {
  if (writable !== "all") return writable?.length === 0 ? ["shared", "copy"] : ["copy"];
  return ["overlay", "copy"];
}

interface AsUser {
  readonly user: ConfigInput["user"];
  readonly note?: string;
}

function usersFor({ user, isolate }: ConfigInput, kind: Layer["kind"]): AsUser[] {
  const isRoot = process.getuid?.() === 0;
  const own = process.getuid?.() === user?.uid && process.getgid?.() === user?.gid;
  const asked = own && user?.range === undefined ? undefined : user;
  if (isRoot) {
    const { uid, gid } = user ?? { uid: 0, gid: 0 };
    const ranged = { uid, gid, range: user?.range ?? LAST_ID };
    // With a range, files keep their owners inside; an overlay needs that to copy a file up.
    const all = isolate === undefined || isolate.includes("user") ? [{ user: ranged }] : [];
    return kind === "overlay" && all.length > 0 ? all : [...all, { user: asked }];
  }
  if (asked === undefined) return [{ user: undefined }];
  // The caller may do less than the image's user, and all files belong to the caller, so running as the caller is safe.
  const note = `the program runs as you, not as the user ${asked.uid}: this backend has no other ids`;
  return [{ user: asked }, { user: undefined, note }];
}

async function open(
  image: ImageRoot,
  kind: Layer["kind"],
  config: ConfigInput,
  options: SandboxOptions,
  note: string | undefined,
): Promise<ImageSandbox> {
  if (kind === "copy") await assertAble(image, config, options);
  const layer = await LAYERS[kind](image);
  try {
    makeMountPoints(layer, config);
    const { root, overlay } = layer;
    const full = { ...config, root, ...(overlay !== undefined && { overlay }) };
    const sandbox = await createSandbox(full, options);
    if (kind === "shared") assertReadOnly(sandbox);
    return {
      sandbox,
      config: full,
      notes: note === undefined ? [] : [note],
      [Symbol.asyncDispose]: async () => layer.remove(),
    };
  } catch (error) {
    layer.remove();
    throw error;
  }
}

/** Finds out before the root is copied, which is slow, whether a backend can run it at all. */
async function assertAble(
  image: ImageRoot,
  config: ConfigInput,
  options: SandboxOptions,
): Promise<void> {
  const writable = config.writable === "all" ? "all" : [];
  const bare = { ...config, writable, cwd: "/", hidden: [], mounts: [] } as const;
  await createSandbox({ ...bare, root: image.rootDirectory }, options);
}

/** Refuses a writable image: later runs would execute what this one writes. The caller gets a copy instead. */
function assertReadOnly({ backend, dropped }: Sandbox): void {
  if (dropped.every(({ capability }) => capability !== "writable.paths")) return;
  throw new SandboxError("CAPABILITY_UNSUPPORTED", "the image itself has to be read-only", {
    path: "writable",
    backend,
  });
}

const LAYERS: Readonly<Record<Layer["kind"], (image: ImageRoot) => Layer | Promise<Layer>>> = {
  shared: sharedLayer,
  overlay: overlayLayer,
  copy: copyLayer,
};

function isLack(error: unknown): boolean {
  return (
    isSandboxError(error) &&
    (error.code === "CAPABILITY_UNSUPPORTED" || error.code === "BACKEND_UNAVAILABLE")
  );
}
