import { arch } from "node:process";
import { invalidImage, shown } from "../errors.js";
import type { Descriptor } from "./json.js";

/** The kind of machine that an image is made for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/**
 * Parses `os/architecture[/variant]`. Without a text it is this machine's platform.
 *
 * @throws SandboxError `IMAGE_INVALID`
 */
export function platformOf(text: string | undefined): Platform {
  if (text === undefined) return { os: "linux", architecture: ARCHITECTURES[arch] ?? arch };
  const [os, architecture, variant, ...rest] = text.split("/");
  if (os && architecture && rest.length === 0)
    return { os, architecture, ...(variant !== undefined && { variant }) };
  throw invalidImage(
    `the platform ${shown(text)} is not OS/ARCHITECTURE[/VARIANT], as linux/amd64`,
  );
}

/** Images use Go's names of architectures. These are they, by Node's names. */
const ARCHITECTURES: Partial<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
};

/**
 * How well an image of an index fits a platform: 0 is best, and undefined means not at all. One without a platform fits
 * each, but worse than those with one.
 */
export function fitOf(
  { platform }: Pick<Descriptor, "platform">,
  wanted: Platform,
): number | undefined {
  if (platform === undefined) return WITHOUT_PLATFORM;
  if (platform.os !== wanted.os || platform.architecture !== wanted.architecture) return undefined;
  const [first = "", ...others] = VARIANTS[wanted.architecture] ?? [];
  const variant = platform.variant || first;
  if (wanted.variant !== undefined) return variant === wanted.variant ? 0 : undefined;
  return variant === first
    ? 0
    : 1 + (others.includes(variant) ? others.indexOf(variant) : others.length);
}

const WITHOUT_PLATFORM = 100;

/**
 * The variants of an architecture, the best first, which also is the one of an image that names none. Every processor can
 * run the first of amd64 and arm64.
 */
const VARIANTS: Partial<Record<string, readonly string[]>> = {
  amd64: ["v1", "v2", "v3", "v4"],
  arm64: ["v8"],
  arm: ["v7", "v6", "v5"],
};

/** Whether an image names another platform than the wanted one. A part that the image leaves out fits. */
export function contradicts(image: Partial<Platform>, wanted: Platform): boolean {
  return (["os", "architecture", "variant"] as const).some(
    (part) => image[part] && wanted[part] !== undefined && image[part] !== wanted[part],
  );
}

/** Writes a platform as `os/architecture[/variant]`. */
export function platformText({
  platform,
}: {
  readonly platform?: Partial<Platform> | undefined;
}): string {
  const { os = "?", architecture = "?", variant } = platform ?? {};
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}
