import type { Fragment } from "../image.js";

/**
 * What the reader of App Container images takes from this folder. `parseManifest` and `configOf` are called with bytes and
 * directories that nobody has vouched for: they throw SandboxError `IMAGE_INVALID`, in one line that names the field.
 */
export interface Appc {
  /** The manifest, checked against the schema of the specification 0.8. The caller bounds its size. */
  parseManifest(bytes: Uint8Array): Manifest;
  /**
   * What the manifest asks for. `root` is the unpacked root: users and groups are looked up in it (`lookUp` of ../root/look-up.ts),
   * never through a symlink that leads out of it.
   */
  configOf(manifest: Manifest, root: string, options: AppcOptions): AppcFragment;
  /**
   * The image files that have to lie below this one, the lowest first, looked up in `options.images`.
   * `openManifest` gives the manifest of a file, and its image ID where it is already known.
   */
  dependenciesOf(
    manifest: Manifest,
    images: string | undefined,
    openManifest: (file: string) => Promise<Manifest>,
  ): Promise<readonly Dependency[]>;
}

/** A manifest that has been checked. The fields are for this folder to add. */
export interface Manifest {
  readonly acKind: "ImageManifest";
  readonly acVersion: string;
  readonly name: string;
  readonly pathWhitelist?: readonly string[];
}

/** What a run adds to what the image says. */
export interface AppcOptions {
  /** `--volume NAME=PATH[:ro]`. */
  readonly volumes: Readonly<Record<string, Volume>>;
  /** Where the metadata service of the run listens; undefined without one. */
  readonly metadataUrl?: string | undefined;
}

/** A directory of the host for a mount point of the image. */
export interface Volume {
  readonly source: string;
  readonly readOnly: boolean;
}

/** A fragment with what runs before and after the program, in the same root. */
export interface AppcFragment extends Fragment {
  readonly preStart: readonly (readonly string[])[];
  readonly postStop: readonly (readonly string[])[];
}

/** An image that another one builds on. */
export interface Dependency {
  readonly path: string;
  /** `sha512-…`, checked when it is unpacked; undefined where the manifest names none. */
  readonly imageId?: string | undefined;
  /** Names in its root that are kept; undefined or empty: all. */
  readonly pathWhitelist?: readonly string[] | undefined;
}
