import * as z from "zod/mini";
import { type App, app } from "./app.js";
import { check } from "./errors.js";
import {
  annotations,
  identifier,
  imageId,
  labels,
  list,
  type Pair,
  pathBelowRoot,
  text,
  userData,
  version,
} from "./fields.js";
import { readJson } from "./json.js";

/** An image manifest that has been checked. */
export interface Manifest {
  readonly acKind: "ImageManifest";
  readonly acVersion: string;
  readonly name: string;
  readonly labels?: readonly Pair[] | undefined;
  readonly app?: App | undefined;
  readonly dependencies?: readonly DependencyEntry[] | undefined;
  /** The only paths that are kept of the image and its dependencies. All are kept when this is missing or empty. */
  readonly pathWhitelist?: readonly string[] | undefined;
  readonly annotations?: readonly Pair[] | undefined;
  readonly userAnnotations?: Readonly<Record<string, string>> | undefined;
  readonly userLabels?: Readonly<Record<string, string>> | undefined;
}

/** An entry of `dependencies`: an image on which this one builds. */
export interface DependencyEntry {
  readonly imageName: string;
  readonly imageID?: string | undefined;
  readonly labels?: readonly Pair[] | undefined;
  /** The size of the image file in bytes. */
  readonly size?: number | undefined;
}

const MOST_PATHS = 1_000_000;

const manifest: z.ZodMiniType<Manifest> = z.object({
  acKind: z.literal("ImageManifest"),
  acVersion: text(version),
  name: text(identifier),
  labels,
  app: z.optional(app),
  dependencies: list(
    z.object({
      imageName: text(identifier),
      imageID: z.pipe(
        z.optional(text((value) => (value === "" ? undefined : imageId(value)))),
        z.transform((value) => value || undefined),
      ),
      labels,
      size: z.optional(z.int().check(z.gte(0))),
    }),
  ),
  pathWhitelist: list(text(pathBelowRoot), MOST_PATHS),
  annotations,
  userAnnotations: userData,
  userLabels: userData,
});

/**
 * Reads an image manifest that is not trusted. Fields that the specification does not define are left out.
 *
 * @throws SandboxError `IMAGE_INVALID`, which names the first wrong field.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  return check(manifest, readJson(bytes, "manifest"), "manifest");
}
