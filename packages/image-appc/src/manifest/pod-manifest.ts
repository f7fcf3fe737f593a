import { LAST_ID } from "@sandboxlib/image/format";
import * as z from "zod/mini";
import { type App, app, type Isolator, isolators, type Port, port } from "./app.js";
import { check } from "./errors.js";
import {
  annotations,
  identifier,
  imageId,
  labels,
  list,
  name,
  namedList,
  type Pair,
  path,
  pathBelowRoot,
  text,
  userData,
  version,
} from "./fields.js";
import { readJson } from "./json.js";

/** A pod manifest that has been checked. */
export interface PodManifest {
  readonly acKind: "PodManifest";
  readonly acVersion: string;
  readonly apps: readonly PodApp[];
  readonly volumes?: readonly PodVolume[] | undefined;
  readonly isolators?: readonly Isolator[] | undefined;
  readonly annotations?: readonly Pair[] | undefined;
  readonly ports?: readonly ExposedPort[] | undefined;
  readonly userAnnotations?: Readonly<Record<string, string>> | undefined;
  readonly userLabels?: Readonly<Record<string, string>> | undefined;
}

/** One app of a pod. */
export interface PodApp {
  readonly name: string;
  readonly image: {
    readonly id: string;
    readonly name?: string | undefined;
    readonly labels?: readonly Pair[] | undefined;
  };
  /** Replaces the app of the image. */
  readonly app?: App | undefined;
  readonly readOnlyRootFS?: boolean | undefined;
  readonly mounts?: readonly PodMount[] | undefined;
  readonly annotations?: readonly Pair[] | undefined;
}

/** Mounts a volume at a path of an app. */
export interface PodMount {
  readonly volume: string;
  readonly path: string;
  /** A volume of the app alone, which replaces the one of the pod. */
  readonly appVolume?: PodVolume | undefined;
}

/** A directory that the apps share. */
export interface PodVolume {
  readonly name: string;
  readonly kind: "empty" | "host";
  readonly readOnly?: boolean | undefined;
  readonly source?: string | undefined;
  readonly recursive?: boolean | undefined;
  /** The mode of an empty volume, in octal digits. */
  readonly mode?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** A port of the pod that should be seen on the host. */
export interface ExposedPort {
  readonly name: string;
  readonly hostPort: number;
  readonly hostIP?: string | undefined;
  readonly podPort?: Port | undefined;
}

const MOST_APPS = 64;

const volume: z.ZodMiniType<PodVolume> = z
  .object({
    name: text(name),
    kind: z.enum(["empty", "host"]),
    readOnly: z.optional(z.boolean()),
    source: z.optional(text((value) => (value === "" ? undefined : path(value)))),
    recursive: z.optional(z.boolean()),
    mode: z.optional(
      text((value) => (/^[0-7]{1,4}$/.test(value) ? undefined : "must be octal digits")),
    ),
    uid: z.optional(z.int().check(z.gte(0), z.lte(LAST_ID))),
    gid: z.optional(z.int().check(z.gte(0), z.lte(LAST_ID))),
  })
  .check(
    z.check(({ value, issues }) => {
      if ((value.kind === "host") === Boolean(value.source)) return;
      const message = value.kind === "host" ? "is missing" : "does not go with `empty`";
      issues.push({ code: "custom", input: value.source, path: ["source"], message });
    }),
  );

const manifest: z.ZodMiniType<PodManifest> = z.object({
  acKind: z.literal("PodManifest"),
  acVersion: text(version),
  apps: namedList(
    z.object({
      name: text(name),
      image: z.object({ id: text(imageId), name: z.optional(text(identifier)), labels }),
      app: z.optional(app),
      readOnlyRootFS: z.optional(z.boolean()),
      mounts: list(
        z.object({ volume: text(name), path: text(pathBelowRoot), appVolume: z.optional(volume) }),
      ),
      annotations,
    }),
    MOST_APPS,
  ).check(z.refine((apps) => (apps ?? []).length > 0, "must not be empty")) as z.ZodMiniType<
    readonly PodApp[]
  >,
  volumes: namedList(volume),
  isolators,
  annotations,
  ports: namedList(
    z.object({
      name: text(name),
      hostPort: z.int().check(z.gte(1), z.lte(65_535)),
      hostIP: z.optional(
        text((value) =>
          /^(\d{1,3}\.){3}\d{1,3}$/.test(value) ? undefined : "must be an IPv4 address",
        ),
      ),
      podPort: z.optional(port),
    }),
  ),
  userAnnotations: userData,
  userLabels: userData,
});

/**
 * Reads a pod manifest. Only its form is checked. Its volumes may name any directory of the host, so the caller must trust
 * it.
 *
 * @throws SandboxError `IMAGE_INVALID`, which names the first wrong field.
 */
export function parsePodManifest(bytes: Uint8Array): PodManifest {
  return check(manifest, readJson(bytes, "pod"), "pod");
}
