import { posix } from "node:path";
import * as z from "zod/mini";
import { invalidImage } from "../invalid.js";
import type { ImageConfig, Manifest } from "./types.js";

/** The largest manifest, index or configuration in bytes. Registries have the same limit. */
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
      // A relative one starts at the root.
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

/** An image of `docker save`'s manifest.json. */
export interface Saved {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null | undefined;
  readonly Layers: readonly string[];
}

const saved = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z.nullish(z.array(z.string())),
    Layers: z.array(z.string()).check(z.maxLength(1000)),
  }),
);

/** @throws SandboxError `IMAGE_INVALID` */
export function parseManifest(bytes: Buffer, what: string): Manifest {
  return parsed(manifest, bytes, what) as Manifest;
}

/** @throws SandboxError `IMAGE_INVALID` */
export function parseImageConfig(bytes: Buffer): ImageConfig {
  return parsed(imageConfig, bytes, "the image's configuration") as ImageConfig;
}

/** @throws SandboxError `IMAGE_INVALID` */
export function parseSaved(bytes: Buffer): Saved[] {
  return parsed(saved, bytes, "manifest.json");
}

function parsed<Type>(schema: z.ZodMiniType<Type>, bytes: Buffer, what: string): Type {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
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
