import type { RunStep } from "../errors.js";
import type { Fragment, ImageOptions } from "../image.js";
import type { Finish } from "../unpack/finish.js";
import type { Source } from "../unpack/source.js";
import type { Totals } from "../unpack/totals.js";

/** A format of images that are unpacked into the cache. */
export interface Format {
  /**
   * Unpacks an image into `job.root`.
   *
   * @throws SandboxError `IMAGE_INVALID`; the root is then removed.
   */
  unpack(job: Job): Promise<Content>;
  /**
   * Says what an unpacked image asks for. It is called for every run, so it should load little code.
   *
   * @param runStep - Runs each step that may refuse the image.
   * @throws SandboxError `IMAGE_INVALID`
   */
  describe(
    content: Content,
    root: string,
    options: ImageOptions,
    runStep: RunStep,
  ): Fragment | Promise<Fragment>;
}

/** An image to unpack. */
export interface Job {
  readonly path: string;
  /** The file; undefined for a directory. */
  readonly source: Source | undefined;
  /** An empty directory that is removed afterwards. */
  readonly scratch: string;
  /** An empty directory that becomes the root, with the mode 0755. */
  readonly root: string;
  readonly options: ImageOptions;
  readonly totals: Totals;
  /** Whether the caller may do everything with every file. */
  readonly privileged: boolean;
  /** Takes the report of each archive. It sets the modes of directories once the root is complete. */
  readonly finish: Finish;
  /** Takes the number of bytes to read, before they are read. */
  readonly total: (bytes: number) => void;
  /** Takes the number of bytes that have been read so far. */
  readonly onRead: (bytes: number) => void;
}

/** What is known of an image once it is unpacked. */
export interface Content {
  /** As {@link Image.digest}. */
  readonly digest: string;
  /** The other files of which the root is made. When one of them changes, the image is unpacked again. */
  readonly parts?: readonly Part[];
  readonly manifest: unknown;
  readonly notes: readonly string[];
}

/** A file of which a root is made. */
export interface Part {
  readonly path: string;
  /** The result of `identityOf` before the file was read. */
  readonly identity: string;
  readonly digest: string;
}
