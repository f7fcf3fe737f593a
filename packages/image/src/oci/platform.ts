import { arch } from "node:process";
import { invalidImage, shown } from "../invalid.js";
import type { Descriptor } from "./types.js";

/** The kind of machine that an image is made for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** `os/architecture[/variant]`; this machine's when there is none. @throws SandboxError `IMAGE_INVALID` */
export function platformOf(text: string | undefined): Platform {
  if (text === undefined) return { os: "linux", architecture: ARCHITECTURES[arch] ?? arch };
  const [os, architecture, variant, ...rest] = text.split("/");
  if (os && architecture && rest.length === 0)
    return { os, architecture, ...(variant !== undefined && { variant }) };
  throw invalidImage(
    `the platform ${shown(text)} is not OS/ARCHITECTURE[/VARIANT], as linux/amd64`,
  );
}

/** The names of Go, which images use, by those of Node. */
const ARCHITECTURES: Partial<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
};

/** Whether an image is for a platform. One that names no platform is for every one. */
export function fits({ platform: said }: Pick<Descriptor, "platform">, wanted: Platform): boolean {
  if (said === undefined) return true;
  return (
    said.os === wanted.os &&
    said.architecture === wanted.architecture &&
    (wanted.variant === undefined || said.variant === wanted.variant)
  );
}

/** Whether an image names another platform. What it leaves out is taken to be right. */
export function contradicts(said: Partial<Platform>, wanted: Platform): boolean {
  return (["os", "architecture", "variant"] as const).some(
    (part) => said[part] && wanted[part] !== undefined && said[part] !== wanted[part],
  );
}

/** A platform as `os/architecture[/variant]`. */
export function platformText({
  platform,
}: {
  readonly platform?: Partial<Platform> | undefined;
}): string {
  const { os = "?", architecture = "?", variant } = platform ?? {};
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}
