import type { ConfigInput } from "@sandboxlib/core";
import { checkKind, type Kind } from "@sandboxlib/core/internal";

/** The formats that can be a root. */
export const FORMATS = ["aci", "oci", "docker", "tar", "squashfs", "erofs", "directory"] as const;

/** One of {@link FORMATS}. */
export type FormatName = (typeof FORMATS)[number];

/** A directory of the host that is mounted at a mount point of an App Container image. */
export interface Volume {
  /** An absolute path without symlinks. */
  readonly source: string;
  readonly readOnly: boolean;
}

/** How an image is opened. */
export interface ImageOptions {
  /**
   * The digest that the image must have: `sha512-…` for an App Container image, else `sha256:…`. A prefix of 32 digits
   * or more is enough.
   */
  readonly digest?: string | undefined;
  /**
   * Which image to take where there is one for each platform, such as `linux/amd64` or `linux/arm64/v8`. Default: this
   * machine's platform.
   */
  readonly platform?: string | undefined;
  /**
   * Which image to take from an archive of several: its tag, as `docker save` and OCI layouts write it. Default: the
   * only one.
   */
  readonly tag?: string | undefined;
  /** A directory of App Container images, in which dependencies are looked up. */
  readonly images?: string | undefined;
  /** The directories of the host for the mount points of an App Container image, by the names of the mount points. */
  readonly volumes?: Readonly<Record<string, Volume>> | undefined;
  /** The URL of the run's metadata service, for App Container images. */
  readonly metadataUrl?: string | undefined;
  /** Replaces the user of the image, which is then not looked up. */
  readonly user?: Ids | undefined;
  /** Whether an isolator of an App Container image that cannot be enforced is reported in a note instead of refused. */
  readonly degrade?: boolean | undefined;
  /** The most that the image may hold once it is unpacked, in bytes. Default: 16 GiB. */
  readonly maxSize?: number | undefined;
  /** Stops the unpacking. What has been unpacked is removed, and the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Called while the image is unpacked, at most ten times a second. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called once with the path of a locked file, after waiting for a second for another process that unpacks an image. */
  readonly onWait?: ((lock: string) => void) | undefined;
}

/** How far the unpacking has come. */
export interface Progress {
  /** The bytes of the file that have been read. */
  readonly read: number;
  /** All bytes of the file. */
  readonly total: number;
}

/** What an image asks for: some fields of a config, and notes for users. */
export interface Fragment {
  readonly config: ConfigInput;
  /** One line for each thing that was left out or changed. */
  readonly notes: readonly string[];
  /** Commands to run before and after the program, in the same root. */
  readonly preStart?: readonly (readonly string[])[];
  readonly postStop?: readonly (readonly string[])[];
}

/** An image that is unpacked in the cache. */
export interface Image extends Fragment {
  readonly format: FormatName;
  /** `sha256:…`; of an App Container image its ID, `sha512-…`. */
  readonly digest: string;
  /** The unpacked root. It is shared by every run: never write to it. */
  readonly rootDirectory: string;
  /** The name of the image in the cache; empty for a directory. */
  readonly key: string;
  /** The manifest or configuration of the image; undefined where the format has none. */
  readonly manifest: unknown;
}

/** The ids of a program. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** The largest id: the kernel takes the number after it for "no id". */
export const LAST_ID = 4_294_967_294;

/**
 * Merges two configs: the caller's fields replace those of the image. Variables and limits are merged one by one.
 *
 * @throws SandboxError `CONFIG_INVALID` for what is no object.
 */
export function withImage(image: ConfigInput, config: ConfigInput): ConfigInput {
  checkKind("image", image, OBJECT);
  checkKind("config", config, OBJECT);
  const { root: _, ...own } = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as ConfigInput;
  const [env, limits] = [merged(image.env, own.env), merged(image.limits, own.limits)];
  return {
    ...image,
    ...own,
    ...(env !== undefined && { env }),
    ...(limits !== undefined && { limits }),
  };
}

/** What is no object is left as it is, for whoever checks the config: nothing of it could be merged. */
function merged<Type>(image: Type | undefined, own: Type | undefined): Type | undefined {
  if (isObject(image) && isObject(own)) return { ...image, ...own };
  return own === undefined ? image : own;
}

/** Whether something is an object with names for its values. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Its values may be secret: a config has variables. */
export const OBJECT: Kind = { accepts: isObject, not: "is no object", isSecret: true };
