import {
  type ConfigInput,
  createSandbox,
  isSandboxError,
  type Sandbox,
  SandboxError,
  type SandboxOptions,
} from "@sandboxlib/core";
import { checkKind, KINDS, type Kind } from "@sandboxlib/core/internal";
import { withSystemError } from "../errors.js";
import { isObject, LAST_ID, OBJECT } from "../image.js";
import { makeMountPoints } from "../root/mount-points.js";
import { idsHere } from "../unpack/power.js";
import { copyLayer, type ImageRoot, type Layer, overlayLayer, sharedLayer } from "./layer.js";

/**
 * A sandbox of an image. Each run sees what earlier runs have written. That is removed when the sandbox is disposed of.
 */
export interface ImageSandbox extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** The config that was asked for, with the root filled in. */
  readonly config: ConfigInput;
  /** One line for each thing that is not as the image says. */
  readonly notes: readonly string[];
}

/**
 * Makes a sandbox of an image. Without `writable`, or with `"all"`, the program may write everywhere, to a layer of its own.
 * With an empty list the unpacked image itself is used, read-only, or a copy of it where `prefer` has dropped that
 * protection.
 *
 * @param config - The image's own config, with what the caller wants otherwise. Its root is not looked at.
 * @throws SandboxError as `createSandbox`, `CONFIG_INVALID` for what is no image.
 */
export async function openImageSandbox(
  image: ImageRoot,
  config: ConfigInput,
  options: SandboxOptions = {},
): Promise<ImageSandbox> {
  checkKind("image", image, IMAGE);
  checkKind("config", config, OBJECT);
  if (options?.signal?.aborted === true) throw options.signal.reason;
  const { writable = "all" } = config;
  const wanted = { ...config, writable };
  const variants = variantsFor(wanted);
  for (const [index, variant] of variants.entries()) {
    try {
      return await open(image, variant, wanted, options);
    } catch (caught) {
      const error = withSystemError("the image cannot be run", caught);
      if (index === variants.length - 1 || !isUnsupported(error)) throw error;
    }
  }
  throw new TypeError("there is always a variant");
}

const IMAGE: Kind = {
  accepts: (image) =>
    isObject(image) && [image["rootDirectory"], image["key"]].every(KINDS.path.accepts),
  not: "is no image as openImage gives it",
  isSecret: true,
};

/** One way to run an image: the layer, and the user of the program. */
interface Variant {
  readonly kind: Layer["kind"];
  readonly user: ConfigInput["user"];
  readonly note?: string;
}

/**
 * The variants that a config allows, the best first. The last one needs no capability that the config does not ask for.
 */
function variantsFor(config: ConfigInput): Variant[] {
  return kindsFor(config.writable).flatMap((kind) =>
    usersFor(config, kind).map((user) => ({ kind, ...user })),
  );
}

function kindsFor(writable: ConfigInput["writable"]): Layer["kind"][] {
  if (writable !== "all") return writable?.length === 0 ? ["shared", "copy"] : ["copy"];
  return ["overlay", "copy"];
}

function usersFor(
  { user, isolate }: ConfigInput,
  kind: Layer["kind"],
): Pick<Variant, "user" | "note">[] {
  const isRoot = process.getuid?.() === 0;
  const isCaller = process.getuid?.() === user?.uid && process.getgid?.() === user?.gid;
  const asked = isCaller && user?.range === undefined ? undefined : user;
  if (isRoot) {
    const { uid, gid } = user ?? { uid: 0, gid: 0 };
    // In a user namespace of somebody's own, as `unshare -r` makes it, there may be only one id.
    const most = Math.min(LAST_ID, idsHere());
    const withRange = { uid, gid, range: user?.range ?? most };
    // With a range of ids files keep their owners inside, which an overlay needs to copy a file into its upper directory.
    const hasUsers = isolate === undefined || isolate.includes("user");
    const all = hasUsers && (most > 1 || user?.range !== undefined) ? [{ user: withRange }] : [];
    return kind === "overlay" && all.length > 0 ? all : [...all, { user: asked }];
  }
  if (asked === undefined) return [{ user: undefined }];
  // Running as the caller is safe: all files belong to the caller, who may do less than the image's user could.
  const note = `the program runs as you, not as the user ${asked.uid}: this backend has no other ids`;
  return [{ user: asked }, { user: undefined, note }];
}

async function open(
  image: ImageRoot,
  { kind, user, note }: Variant,
  given: ConfigInput,
  options: SandboxOptions,
): Promise<ImageSandbox> {
  const config = { ...given, user };
  if (kind === "copy") await assertSupported(image, config, options);
  const layer = await LAYERS[kind](image);
  try {
    if (layer.private !== undefined) makeMountPoints(layer.root, layer.private, config);
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

const LAYERS: Readonly<Record<Layer["kind"], (image: ImageRoot) => Layer | Promise<Layer>>> = {
  shared: sharedLayer,
  overlay: overlayLayer,
  copy: copyLayer,
};

/** Finds out whether a backend can run the config at all, before the root is copied, which is slow. */
async function assertSupported(
  image: ImageRoot,
  config: ConfigInput,
  options: SandboxOptions,
): Promise<void> {
  const writable = config.writable === "all" ? "all" : [];
  const bare = {
    ...config,
    writable,
    cwd: "/",
    hidden: [],
    mounts: [],
    defaultMounts: false,
  } as const;
  await createSandbox({ ...bare, root: image.rootDirectory }, options);
}

/**
 * Refuses to share an image that can be written: later runs would execute what this one writes. The caller gets a copy.
 */
function assertReadOnly({ backend, dropped }: Sandbox): void {
  if (dropped.every(({ capability }) => capability !== "writable.paths")) return;
  throw new SandboxError("CAPABILITY_UNSUPPORTED", "the image itself has to be read-only", {
    path: "writable",
    backend,
  });
}

function isUnsupported(error: unknown): boolean {
  return (
    isSandboxError(error) &&
    (error.code === "CAPABILITY_UNSUPPORTED" || error.code === "BACKEND_UNAVAILABLE")
  );
}
