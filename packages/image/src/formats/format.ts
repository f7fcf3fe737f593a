import type { Attempt } from "../attempt.js";
import type { FormatName, Fragment, ImageOptions } from "../image.js";
import type { Source } from "../unpack/source.js";
import type { Totals } from "../unpack/totals.js";

/**
 * Unpacks an image of one format into a directory of its own.
 *
 * @throws SandboxError `IMAGE_INVALID`; the directory is then thrown away.
 */
export type Unpack = (job: Job) => Promise<Content>;

/**
 * What an unpacked image asks for. Called for every run, so it loads little.
 *
 * @throws SandboxError `IMAGE_INVALID`
 */
export type Describe = (
  content: Content,
  root: string,
  options: ImageOptions,
  attempt: Attempt,
) => Fragment;

/** One image to unpack. */
export interface Job {
  readonly path: string;
  /** The file; undefined for a directory. */
  readonly source: Source | undefined;
  /** An empty directory that is removed afterwards. */
  readonly scratch: string;
  /** An empty directory that becomes the root, mode 0755. */
  readonly root: string;
  readonly options: ImageOptions;
  readonly totals: Totals;
  readonly privileged: boolean;
  /** To be told how much there is to read before it is read. */
  readonly total: (bytes: number) => void;
  readonly onRead: (bytes: number) => void;
}

/** What is known of an image once it is unpacked. */
export interface Content {
  /** As {@link Image.digest}. */
  readonly digest: string;
  /** Other files that the root is made of, which must be as they were for it to be of use. */
  readonly parts?: readonly Part[];
  readonly manifest: unknown;
  readonly notes: readonly string[];
}

/** A file that a root is made of. */
export interface Part {
  readonly path: string;
  /** What it looked like before it was read. */
  readonly identity: string;
  readonly digest: string;
}

/** What unpacks each format, and what reads its manifest; loaded when they are needed. */
export const FORMAT: Readonly<
  Record<
    Exclude<FormatName, "directory">,
    { unpack(): Promise<Unpack>; describe(): Promise<Describe> }
  >
> = {
  aci: {
    unpack: async () => (await import("./aci.js")).unpackAci,
    describe: async () => (await import("./aci-fragment.js")).describeAci,
  },
  oci: { unpack: async () => (await import("./oci.js")).unpackOci, describe: describeOci },
  docker: { unpack: async () => (await import("./docker.js")).unpackDocker, describe: describeOci },
  tar: {
    unpack: async () => (await import("./tarball.js")).unpackTarball,
    describe: describeNothing,
  },
  squashfs: {
    unpack: async () => (await import("./squashfs.js")).unpackSquashfs,
    describe: describeNothing,
  },
  erofs: {
    unpack: async () => (await import("./erofs.js")).unpackErofs,
    describe: describeNothing,
  },
};

async function describeOci(): Promise<Describe> {
  return (await import("../oci/fragment.js")).describeOci;
}

async function describeNothing(): Promise<Describe> {
  return ({ notes }) => ({ config: {}, notes });
}
