import { statSync } from "node:fs";

/**
 * Whether a path of the host is a device, or a directory of the file system of `/dev`. A backend binds such a path
 * read-only: devices can be read and written all the same, but their owner cannot change the modes that the host sees.
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
