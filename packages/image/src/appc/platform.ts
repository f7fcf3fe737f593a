import { fault, show } from "./fault.js";
import type { Manifest } from "./image-manifest.js";

/** An image for another system cannot run; one for another processor may, where the kernel has an emulator for it. */
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
