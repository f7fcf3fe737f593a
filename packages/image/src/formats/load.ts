import type { FormatName } from "../image.js";
import { invalidImage } from "../invalid.js";
import type { Format } from "./format.js";

/**
 * Finds what reads the images of a format. The code is loaded when it is used.
 *
 * @throws SandboxError `IMAGE_INVALID` for an App Container image without the package that reads it.
 */
export async function loadFormat(name: FormatName): Promise<Format> {
  if (name === "directory") throw new TypeError("a directory is not unpacked");
  return name === "aci" ? loadAppc() : FORMATS[name];
}

/**
 * TypeScript must not follow this import, since `@sandboxlib/image-appc` imports this package: what is a `string` to it, is
 * not resolved.
 */
async function loadAppc(): Promise<Format> {
  try {
    const { aci } = await import("@sandboxlib/image-appc/format" as string);
    return aci as Format;
  } catch (error) {
    if (!(error instanceof Error) || !MISSING.test(error.message)) throw error;
    throw invalidImage(
      "an App Container image takes @sandboxlib/image-appc, which is not installed",
      "Install @sandboxlib/image-appc.",
      error,
    );
  }
}

/** A package that `@sandboxlib/image-appc` itself lacks is another error, which is thrown as it is. */
const MISSING = /^Cannot find package '@sandboxlib\/image-appc'/;

const describeOci: Format["describe"] = async (...image) =>
  (await import("../oci/fragment.js")).describeOci(...image);
const describeNothing: Format["describe"] = ({ notes }) => ({ config: {}, notes });

const FORMATS: Readonly<Record<Exclude<FormatName, "directory" | "aci">, Format>> = {
  oci: {
    unpack: async (job) => (await import("./oci.js")).unpackOci(job),
    describe: describeOci,
  },
  docker: {
    unpack: async (job) => (await import("./docker.js")).unpackDocker(job),
    describe: describeOci,
  },
  tar: {
    unpack: async (job) => (await import("./tarball.js")).unpackTarball(job),
    describe: describeNothing,
  },
  squashfs: {
    unpack: async (job) => (await import("./squashfs.js")).unpackSquashfs(job),
    describe: describeNothing,
  },
  erofs: {
    unpack: async (job) => (await import("./erofs.js")).unpackErofs(job),
    describe: describeNothing,
  },
};
