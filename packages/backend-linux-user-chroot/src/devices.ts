import { statSync } from "node:fs";

/**
 * Whether a path of the host leads to device nodes: it is one, or a directory of the file system on which `/dev` is. A
 * device can be read and written on a read-only mount, and only there can its owner not change the mode that the host sees.
 */
export function holdsDevices(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true)
    return stat?.isCharacterDevice() === true || stat?.isBlockDevice() === true;
  return (
    (path === "/dev" || path.startsWith("/dev/")) &&
    stat.dev === statSync("/dev", { throwIfNoEntry: false })?.dev
  );
}
