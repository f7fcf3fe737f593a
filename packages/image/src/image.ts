import type { ConfigInput } from "@sandboxlib/core";
import type { Ids } from "./ids.js";

/** The formats that can be a root. */
export const FORMATS = ["aci", "oci", "docker", "tar", "squashfs", "erofs", "directory"] as const;

/** One of {@link FORMATS}. */
export type FormatName = (typeof FORMATS)[number];

/** A directory of the host for a mount point of an App Container image. */
export interface Volume {
  /** An absolute path without symlinks. */
  readonly source: string;
  readonly readOnly: boolean;
}

/** How an image is opened. */
export interface ImageOptions {
  /** The digest that the image must have, as `sha512-…` (an App Container image) or `sha256:…`; a prefix of 32 digits or more will do. */
  readonly digest?: string | undefined;
  /** Of an image for several platforms, which one: `linux/amd64`, `linux/arm64/v8`. Default: this machine's. */
  readonly platform?: string | undefined;
  /** Of an archive of several images, which one: a tag, as `docker save` and OCI layouts write them. Default: the only one. */
  readonly tag?: string | undefined;
  /** A directory of App Container images, in which dependencies are looked up. */
  readonly images?: string | undefined;
  /** For the mount points of an App Container image, by their names: directories of the host. */
  readonly volumes?: Readonly<Record<string, Volume>> | undefined;
  /** Where the metadata service of the run listens, for App Container images. */
  readonly metadataUrl?: string | undefined;
  /** Replaces the user of the image, which is then not looked up. */
  readonly user?: Ids | undefined;
  /** Whether an isolator of an App Container image that cannot be enforced is reported in a note instead of refused. */
  readonly degrade?: boolean | undefined;
  /** The most that the image may hold once it is unpacked, in bytes. Default: 16 GiB. */
  readonly maxSize?: number | undefined;
  /** Stops the unpacking, with its reason; what there is of the image is removed. */
  readonly signal?: AbortSignal | undefined;
  /** Called while the image is unpacked, at most ten times a second. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Told once, after a second of waiting for somebody else who unpacks an image: the file that is locked. */
  readonly onWait?: ((lock: string) => void) | undefined;
}

/** How far the unpacking has come. */
export interface Progress {
  /** Bytes of the file that have been read, and how many there are. */
  readonly read: number;
  readonly total: number;
}

/** What an image asks for: a part of a config, and notes for users. */
export interface Fragment {
  readonly config: ConfigInput;
  /** One line each: what was left out, squashed or changed. */
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
  /** Its name in the cache; empty for a directory. */
  readonly key: string;
  /** What the image says of itself; undefined where the format has no manifest. */
  readonly manifest: unknown;
}
