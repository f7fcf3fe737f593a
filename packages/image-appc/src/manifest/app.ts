import { LAST_ID } from "@sandboxlib/image/format";
import * as z from "zod/mini";
import {
  identifier,
  list,
  name,
  namedList,
  noNul,
  owner,
  type Pair,
  path,
  pathBelowRoot,
  text,
  userData,
  variable,
} from "./fields.js";

/** The `app` of a manifest: how an image is run. */
export interface App {
  readonly exec?: readonly string[] | undefined;
  readonly user: string;
  readonly group: string;
  readonly supplementaryGIDs?: readonly number[] | undefined;
  /** The specification's own example spells the field in this way. */
  readonly supplementaryGids?: readonly number[] | undefined;
  readonly eventHandlers?: readonly EventHandler[] | undefined;
  readonly workingDirectory?: string | undefined;
  readonly environment?: readonly Pair[] | undefined;
  readonly isolators?: readonly Isolator[] | undefined;
  readonly mountPoints?: readonly MountPoint[] | undefined;
  readonly ports?: readonly Port[] | undefined;
  readonly userAnnotations?: Readonly<Record<string, string>> | undefined;
  readonly userLabels?: Readonly<Record<string, string>> | undefined;
}

/** A command that runs before or after the program. */
export interface EventHandler {
  readonly name: "pre-start" | "post-stop";
  readonly exec: readonly string[];
}

/** A limit or another restriction. The meaning of the value depends on the name. */
export interface Isolator {
  readonly name: string;
  readonly value?: unknown;
}

/** A path at which the app expects a volume. */
export interface MountPoint {
  readonly name: string;
  readonly path: string;
  readonly readOnly?: boolean | undefined;
}

/** A port or a range of ports on which the app listens. */
export interface Port {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly count?: number | undefined;
  readonly socketActivated?: boolean | undefined;
}

const argv: z.ZodMiniType<readonly string[]> = z.array(text(noNul)).check(z.minLength(1));

/** The schema of the isolators of an app or a pod. */
export const isolators: z.ZodMiniType<readonly Isolator[] | undefined> = list(
  z.object({ name: text(identifier), value: z.unknown() }),
);

/** The schema of a port of an app or a pod. */
export const port: z.ZodMiniType<Port> = z
  .object({
    name: text(name),
    protocol: text(noNul),
    port: z.int().check(z.gte(1), z.lte(65_535)),
    count: z.optional(z.int().check(z.gte(0), z.lte(65_535))),
    socketActivated: z.optional(z.boolean()),
  })
  .check(
    z.check(({ value, issues }) => {
      if (value.port + (value.count ?? 1) <= 65_536) return;
      const message = "is a range that ends above 65535";
      issues.push({ code: "custom", input: value.count, path: ["count"], message });
    }),
  );

/** The schema of the `app` in an image manifest or a pod manifest. */
export const app: z.ZodMiniType<App> = z.object({
  exec: z.pipe(
    z.nullish(z.array(text(noNul))),
    z.transform((exec) => (exec?.length ? exec : undefined)),
  ),
  user: text(owner),
  group: text(owner),
  supplementaryGIDs: list(z.int().check(z.gte(0), z.lte(LAST_ID))),
  supplementaryGids: list(z.int().check(z.gte(0), z.lte(LAST_ID))),
  eventHandlers: namedList(z.object({ name: z.enum(["pre-start", "post-stop"]), exec: argv })),
  workingDirectory: z.optional(text((value) => (value === "" ? undefined : path(value)))),
  environment: namedList(z.object({ name: text(variable), value: text(noNul) })),
  isolators,
  mountPoints: list(
    z.object({ name: text(name), path: text(pathBelowRoot), readOnly: z.optional(z.boolean()) }),
  ),
  ports: list(port),
  userAnnotations: userData,
  userLabels: userData,
});
