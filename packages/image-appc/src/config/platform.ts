import { fault, show } from "../manifest/fault.js";
import type { Manifest } from "../manifest/image-manifest.js";

/**
 * Refuses an image for another operating system. One for another processor gets a note, since the kernel may have an
 * emulator for it.
 */
export function platformNotes({ labels = [] }: Manifest): string[] {
  const label = (name: string): string | undefined =>
    labels.find((one) => one.name === name)?.value;
  const [os, arch] = [label("os"), label("arch")];
  if (os !== undefined && os !== process.platform)
    throw fault("labels", `the image is for ${show(os)}, and this is ${process.platform}`);
  const here = ARCHITECTURES[process.arch];
  if (os === undefined || arch === undefined || arch === here) return [];
  return [
    `labels: the image is for the processor ${show(arch)}, and this is ${show(here ?? process.arch)}`,
  ];
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "i386",
  arm64: "aarch64",
};
