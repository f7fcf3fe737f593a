import { posix } from "node:path";
import * as z from "zod/mini";
import { show } from "./errors.js";

/** A rule for a text. It gives the end of an error message for a text that breaks it, else undefined. */
type TextRule = (text: string) => string | undefined;

/** A schema for a text that follows a rule. */
export function text(rule: TextRule): z.ZodMiniType<string, string> {
  return z.string().check(
    z.check<string>(({ value, issues }) => {
      const broken = rule(value);
      if (broken !== undefined) issues.push({ code: "custom", input: value, message: broken });
    }),
  );
}

/** The rule for a text that is passed to the kernel, for which a NUL byte ends a text. */
export const noNul: TextRule = (value) =>
  value.includes("\0") ? "contains a NUL byte" : undefined;

/**
 * The rule for names of images, labels, annotations and isolators, which the specification calls AC Identifiers. Its own
 * example `example.com/~user/app_v1` breaks its pattern, and is meant to be a name.
 */
export const identifier: TextRule = (value) =>
  value.length <= 1024 && /^[a-z0-9]+((\/~|[-._~/])[a-z0-9]+)*$/.test(value)
    ? undefined
    : "must be lower-case letters and digits with single `-`, `.`, `_`, `~` or `/` between them, or `/~`";

/** The rule for names of apps, volumes, mount points and ports, which the specification calls AC Names. */
export const name: TextRule = (value) =>
  value.length <= 512 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value)
    ? undefined
    : "must be lower-case letters and digits with single `-` between them";

/** The rule for an image ID, which is the SHA-512 of the archive without its compression. */
export const imageId: TextRule = (value) =>
  /^sha512-[0-9a-f]{128}$/.test(value) ? undefined : "must be `sha512-` and 128 hexadecimal digits";

/** The rule for a version of the specification: SemVer 2.0.0. Only versions before 1.0.0 are supported. */
export const version: TextRule = (value) => {
  const semver =
    /^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}(-[0-9a-z-]+(\.[0-9a-z-]+)*)?(\+[0-9a-z-]+(\.[0-9a-z-]+)*)?$/i;
  if (value.length > 256 || !semver.test(value)) return "must be a version such as 0.8.11";
  return value.startsWith("0.") ? undefined : "is a version of the specification after 0.8";
};

/** The rule for the name of a variable, from the specification and environ(7). */
export const variable: TextRule = (value) =>
  /^[A-Za-z_][A-Za-z_0-9.-]*$/.test(value)
    ? undefined
    : "must be letters, digits, `_`, `.` and `-`, and must not start with a digit";

/**
 * The rule for a path inside the sandbox. The meaning of `..` would depend on symlinks in the image, so it is refused.
 */
export const path: TextRule = (value) => {
  if (!value.startsWith("/")) return "must be an absolute path";
  if (value.split("/").includes("..")) return "must not contain `..`";
  if (value.length > 4096) return "is longer than 4096 characters";
  return noNul(value);
};

/** The rule for a path of which something is mounted or kept. The root itself cannot be. */
export const pathBelowRoot: TextRule = (value) =>
  path(value) ?? (tidy(value) === "/" ? "must be below `/`" : undefined);

/** The rule for a user or group: a name, a number, or the path of a file, which stands for its owner. */
export const owner: TextRule = (value) => {
  if (value === "") return "must not be empty";
  if (value.length > 4096) return "is longer than 4096 characters";
  if (value.startsWith("/")) return path(value);
  return /[\0\n:]/.test(value) ? `${show(value)} is no name in /etc/passwd` : undefined;
};

/** Removes `.`, double slashes and a slash at the end from an absolute path. */
export function tidy(value: string): string {
  const normal = posix.normalize(value);
  return normal === "/" ? normal : normal.replace(/\/$/, "");
}

/** A label, an annotation or a variable. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** The most entries of a list unless it has its own limit. */
const MOST_ENTRIES = 1024;

/** A schema for a list that may be missing. The specification's own tools write `null` for an empty list. */
export function list<Type>(
  entry: z.ZodMiniType<Type>,
  most: number = MOST_ENTRIES,
): z.ZodMiniType<readonly Type[] | undefined> {
  return z.pipe(
    z.nullish(z.array(entry).check(z.maxLength(most))),
    z.transform((value) => value ?? undefined),
  );
}

/** A schema for a list in which no two entries have the same name. */
export function namedList<Type extends { readonly name: string }>(
  entry: z.ZodMiniType<Type>,
  most?: number,
): z.ZodMiniType<readonly Type[] | undefined> {
  return list(entry, most).check(
    z.check(({ value, issues }) => {
      const seen = new Set<string>();
      for (const [index, { name }] of (value ?? []).entries()) {
        if (seen.has(name)) {
          const path = [index, "name"];
          issues.push({ code: "custom", input: value, path, message: "is there twice" });
          return;
        }
        seen.add(name);
      }
    }),
  );
}

/** The labels of an image. Their names are unique, and `name` is reserved. */
export const labels: z.ZodMiniType<readonly Pair[] | undefined> = namedList(
  z.object({
    name: text((value) => identifier(value) ?? (value === "name" ? "is reserved" : undefined)),
    value: text(noNul),
  }),
);

/** The annotations of an image, an app or a pod. The specification says which form some of them must have. */
export const annotations: z.ZodMiniType<readonly Pair[] | undefined> = namedList(
  z.object({ name: text(identifier), value: z.string() }).check(
    z.check(({ value: pair, issues }) => {
      const message = brokenAnnotation(pair);
      if (message === undefined) return;
      issues.push({ code: "custom", input: pair.value, path: ["value"], message });
    }),
  ),
);

function brokenAnnotation({ name, value }: Pair): string | undefined {
  if (name === "created") {
    const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
    return timestamp.test(value) ? undefined : "must be a time of RFC 3339";
  }
  if (name !== "homepage" && name !== "documentation") return undefined;
  return /^https?:\/\//i.test(value) && URL.canParse(value) ? undefined : "must be a URL of HTTP";
}

/** The annotations and labels of users: an object of strings that has no effect. */
export const userData: z.ZodMiniType<Readonly<Record<string, string>> | undefined> = z.optional(
  z.record(z.string(), z.string()),
);
