import { invalidImage } from "../errors.js";
import type { FormatName } from "../image.js";
import type { Format } from "./format.js";

/**
 * Finds the reader of a format. Its code is loaded when it is used.
 *
 * @throws SandboxError `IMAGE_INVALID` for an App Container image without the package that reads it.
 */
export async function loadFormat(name: FormatName): Promise<Format> {
  if (name === "directory") throw new TypeError("a directory is not unpacked");
  return name === "aci" ? loadAppc() : READERS[name];
}

/**
 * Loads the reader of App Container images. That package imports this one, so TypeScript must not resolve this import:
 * it does not when the name is only known to be a `string`.
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

/**
 * The message when `@sandboxlib/image-appc` itself is missing. When it lacks another package, that error is thrown as
 * it is.
 */
const MISSING = /^Cannot find package '@sandboxlib\/image-appc'/;

const describeOci: Format["describe"] = async (...image) =>
  (await import("../oci/describe.js")).describeOci(...image);
const describeNothing: Format["describe"] = ({ notes }) => ({ config: {}, notes });

const READERS: Readonly<Record<Exclude<FormatName, "directory" | "aci">, Format>> = {
  oci: {
    unpack: async (job) => (await import("./oci.js")).unpackOci(job),
    describe: describeOci,
  },
  docker: {
    unpack: async (job) => (await import("./docker.js")).unpackDocker(job),
    describe: describeOci,
  },
  tar: {
    unpack: async (job) => (await import("./tar.js")).unpackTarball(job),
    describe: describeNothing,
  },
  squashfs: {
    unpack: async (job) => (await import("./filesystem.js")).unpackSquashfs(job),
    describe: describeNothing,
  },
  erofs: {
    unpack: async (job) => (await import("./erofs.js")).unpackErofs(job),
    describe: describeNothing,
  },
};
