import { posix } from "node:path";
import * as z from "zod/mini";
import { invalidImage, shown } from "../errors.js";

/** A descriptor of the OCI image specification: a reference to another file. */
export interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: {
    readonly os?: string;
    readonly architecture?: string;
    readonly variant?: string;
  };
  readonly annotations?: Readonly<Record<string, string>>;
  /** What it is, if it is no image. */
  readonly artifactType?: string;
}

/** An index or a manifest. */
export interface Manifest {
  readonly mediaType?: string;
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** The configuration of an image, as far as it is used here. */
export interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly rootfs?: { readonly diff_ids?: readonly string[] };
  readonly config?: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly Volumes?: Readonly<Record<string, unknown>> | null;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
  } | null;
}

/** The most bytes of a manifest, an index or a configuration. Registries have the same limit. */
export const LARGEST_JSON: number = 4 * 1024 * 1024;

const digest = z.string().check(z.regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/));
const size = z.int().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
const words = z.nullish(z.array(z.string()));
const names = z.nullish(z.record(z.string(), z.unknown()));

const descriptor = z.object({
  mediaType: z.optional(z.string()),
  digest,
  size,
  platform: z.optional(
    z.object({
      os: z.optional(z.string()),
      architecture: z.optional(z.string()),
      variant: z.optional(z.string()),
    }),
  ),
  annotations: z.optional(z.record(z.string(), z.string())),
  artifactType: z.optional(z.string()),
});

const manifest = z.object({
  mediaType: z.optional(z.string()),
  manifests: z.optional(z.array(descriptor).check(z.maxLength(10_000))),
  config: z.optional(descriptor),
  layers: z.optional(z.array(descriptor).check(z.maxLength(1000))),
});

const imageConfig = z.object({
  os: z.optional(z.string()),
  architecture: z.optional(z.string()),
  variant: z.optional(z.string()),
  rootfs: z.optional(z.object({ diff_ids: z.optional(z.array(digest)) })),
  config: z.nullish(
    z.object({
      User: z.optional(z.string()),
      Env: words,
      Entrypoint: words,
      Cmd: words,
      // A relative path is taken to start at the root.
      WorkingDir: z.optional(
        z.pipe(
          z.string(),
          z.transform((path) => (path === "" ? path : posix.resolve("/", path))),
        ),
      ),
      Volumes: names,
      ExposedPorts: names,
    }),
  ),
});

/** An image in the manifest.json of `docker save`. */
export interface Saved {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null | undefined;
  readonly Layers?: readonly string[] | undefined;
}

const saved = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z.nullish(z.array(z.string())),
    Layers: z.optional(z.array(z.string()).check(z.maxLength(1000))),
  }),
);

const layout = z.object({ imageLayoutVersion: z.string() });

/** Parses an index or a manifest, which errors call `what`. @throws SandboxError `IMAGE_INVALID` */
export function parseManifest(bytes: Buffer, what: string): Manifest {
  return parsed(manifest, bytes, what) as Manifest;
}

/** Parses the configuration of an image. @throws SandboxError `IMAGE_INVALID` */
export function parseImageConfig(bytes: Buffer): ImageConfig {
  return parsed(imageConfig, bytes, "the image's configuration") as ImageConfig;
}

/** Parses the manifest.json of `docker save`. @throws SandboxError `IMAGE_INVALID` */
export function parseSaved(bytes: Buffer): Saved[] {
  return parsed(saved, bytes, "manifest.json");
}

/** Whether a file is the manifest.json of `docker save`. Many other things have a file of this name. */
export function isSaved(bytes: Buffer): boolean {
  try {
    return parseSaved(bytes).length > 0;
  } catch {
    return false;
  }
}

/** Checks the file oci-layout, which says how the rest is to be read. @throws SandboxError `IMAGE_INVALID` */
export function checkLayout(bytes: Buffer): void {
  const { imageLayoutVersion } = parsed(layout, bytes, "oci-layout");
  if (imageLayoutVersion.startsWith("1.")) return;
  throw invalidImage(
    `oci-layout names the version ${shown(imageLayoutVersion)}, and 1.0.0 is the one that is known`,
  );
}

function parsed<Type>(schema: z.ZodMiniType<Type>, bytes: Buffer, what: string): Type {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"), (key, inner: unknown) =>
      inner === null && MAY_BE_NULL.has(key) ? undefined : inner,
    );
  } catch (cause) {
    throw invalidImage(`${what} is no JSON`, undefined, cause);
  }
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  throw invalidImage(
    `${what}: ${path === "" ? "" : `${JSON.stringify(path)} `}is not as the specification has it`,
  );
}

/** Fields that programs write as `null` when they have none. */
const MAY_BE_NULL = new Set(
  [
    "mediaType manifests config layers platform annotations artifactType",
    "os architecture variant rootfs diff_ids RepoTags Layers",
    "User Env Entrypoint Cmd WorkingDir Volumes ExposedPorts",
  ].flatMap((names) => names.split(" ")),
);
