// `@sandboxlib/image/format`: for a package that reads a format of images, or builds on one.
import { makePrivateDirectory, openCache, type PrivateDirectory } from "./cache/directories.js";

export { type ArchiveFiles, type BuildReport, buildArchive, checkBuild } from "./build/archive.js";
export type { PrivateDirectory } from "./cache/directories.js";
export { identityOf } from "./cache/known-files.js";
export { invalidImage, orThrow, type RunStep, shown } from "./errors.js";
export type { Content, Format, Job, Part } from "./formats/format.js";
export { type UnpackedArchive, unpackArchive } from "./formats/tar.js";
export { LAST_ID } from "./image.js";
export { unpackImage } from "./open.js";
export { lookUp } from "./root/users.js";
export { archiveHash, capturedFile } from "./unpack/read-archive.js";
export { notesOf } from "./unpack/report.js";

/**
 * Makes a directory in the cache for a run. Only the caller can enter it, and `gc` removes it should this process die.
 */
export function privateDirectory(): PrivateDirectory {
  return makePrivateDirectory(openCache());
}
