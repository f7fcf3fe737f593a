import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Where the tests look for a static busybox. */
export const BUSYBOX = "/usr/bin/busybox";

/** Why there can be no root with busybox here; undefined when there can. A dynamic one finds no loader in an empty root. */
export const noBusybox: string | undefined =
  existsSync(BUSYBOX) && isStatic(BUSYBOX) ? undefined : `needs a static busybox at ${BUSYBOX}`;

/** The path of the loader stands near the start of a program that needs one. */
function isStatic(path: string): boolean {
  return !readFileSync(path).subarray(0, 4096).includes("/ld-");
}

const APPLETS = `cat dd echo env grep hostname id kill ln ls mkdir mv nc printf ps pwd readlink rm setsid sh sleep sort
  stat test touch true wc wget`;

/** Copies busybox into `bin` of a root, which is made where it is missing, with links for the usual commands. */
export function addBusybox(root: string): void {
  const bin = join(root, "bin");
  mkdirSync(bin, { recursive: true });
  copyFileSync(BUSYBOX, join(bin, "busybox"));
  chmodSync(join(bin, "busybox"), 0o755);
  for (const name of APPLETS.split(/\s+/)) symlinkSync("busybox", join(bin, name));
}
