import { statSync } from "node:fs";

/**
 * Whether a path of the host is a device, or a directory of the file system of `/dev`. Such a path is mounted read-only: the
 * devices can still be read and written, but their owner cannot change their modes, which the host would see.
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
