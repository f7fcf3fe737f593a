import { posix } from "node:path";
import * as z from "zod/mini";
import { show } from "./fault.js";

/** The rule that a text breaks, as half a sentence, or undefined when it may be used. */
type TextRule = (text: string) => string | undefined;

/** A schema for a text that keeps a rule. */
export function text(rule: TextRule): z.ZodMiniType<string, string> {
  return z.string().check(
    z.check<string>(({ value, issues }) => {
      const broken = rule(value);
      if (broken !== undefined) issues.push({ code: "custom", input: value, message: broken });
    }),
  );
}

/** A text that the kernel can take: a NUL byte would end it. */
export const noNul: TextRule = (value) =>
  value.includes("\0") ? "contains a NUL byte" : undefined;

/** The names of images, labels, annotations and isolators: an AC Identifier. */
export const identifier: TextRule = (value) =>
  value.length <= 1024 && /^[a-z0-9]+([-._~/][a-z0-9]+)*$/.test(value)
    ? undefined
    : "must be lower-case letters and digits with single `-`, `.`, `_`, `~` or `/` between them";

/** The names of apps, volumes, mount points and ports: an AC Name. */
export const name: TextRule = (value) =>
  value.length <= 512 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value)
    ? undefined
    : "must be lower-case letters and digits with single `-` between them";

/** An image ID: the digest of the uncompressed tar file. */
export const imageId: TextRule = (value) =>
  /^sha512-[0-9a-f]{128}$/.test(value) ? undefined : "must be `sha512-` and 128 hexadecimal digits";

/** A version of the specification that this reads: SemVer 2.0.0, of the series 0. */
export const version: TextRule = (value) => {
  const semver =
    /^(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}(-[0-9a-z-]+(\.[0-9a-z-]+)*)?(\+[0-9a-z-]+(\.[0-9a-z-]+)*)?$/i;
  if (value.length > 256 || !semver.test(value)) return "must be a version such as 0.8.11";
  return value.startsWith("0.") ? undefined : "is a version of the specification after 0.8";
};

/** The name of a variable, as the specification and environ(7) have it. */
export const variable: TextRule = (value) =>
  /^[A-Za-z_][A-Za-z_0-9.-]*$/.test(value)
    ? undefined
    : "must be letters, digits, `_`, `.` and `-`, and must not start with a digit";

/** A path inside. It has no `..`, whose meaning would depend on symlinks in the image. */
export const path: TextRule = (value) => {
  if (!value.startsWith("/")) return "must be an absolute path";
  if (value.split("/").includes("..")) return "must not contain `..`";
  if (value.length > 4096) return "is longer than 4096 characters";
  return noNul(value);
};

/** The path of something that is mounted or kept, which the root itself cannot be. */
export const pathBelowRoot: TextRule = (value) =>
  path(value) ?? (tidy(value) === "/" ? "must be below `/`" : undefined);

/** A user or group: a name, a number, or the path of a file whose owner it is. */
export const owner: TextRule = (value) => {
  if (value === "") return "must not be empty";
  if (value.length > 4096) return "is longer than 4096 characters";
  if (value.startsWith("/")) return path(value);
  return /[\0\n:]/.test(value) ? `${show(value)} is no name in /etc/passwd` : undefined;
};

/** An absolute path without `.`, double slashes and a slash at the end. */
export function tidy(value: string): string {
  const normal = posix.normalize(value);
  return normal === "/" ? normal : normal.replace(/\/$/, "");
}
