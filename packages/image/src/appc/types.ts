import type { AppcFragment, AppcOptions } from "./config-of.js";
import type { Dependency, OpenManifest } from "./dependencies.js";
import type { Manifest } from "./image-manifest.js";

export type { AppcFragment, AppcOptions } from "./config-of.js";
export type { Dependency, OpenManifest } from "./dependencies.js";
export type { Manifest } from "./image-manifest.js";
export type { Volume } from "./mount-points.js";

/**
 * What the reader of App Container images takes from this folder. `parseManifest` and `configOf` are called with bytes and
 * directories that nobody has vouched for: they throw SandboxError `IMAGE_INVALID`, in one line that names the field.
 */
export interface Appc {
  /** The manifest, checked against the schema of the specification 0.8. */
  parseManifest(bytes: Uint8Array): Manifest;
  /**
   * What the manifest asks for. `root` is the unpacked root: users and groups are looked up in it (`lookUp` of ../root/look-up.ts),
   * never through a symlink that leads out of it. Every target of a mount must be made in the run's own layer.
   */
  configOf(manifest: Manifest, root: string, options: AppcOptions): AppcFragment;
  /**
   * The image files that have to lie below this one, the lowest first, looked up in `options.images`.
   * `openManifest` gives the manifest of a file; `imageIdOf` its ID, asked for only where several files fit.
   */
  dependenciesOf(
    manifest: Manifest,
    images: string | undefined,
    openManifest: OpenManifest,
    imageIdOf?: (file: string) => Promise<string>,
  ): Promise<readonly Dependency[]>;
}
