// `@sandboxlib/image/format`: for a package that reads a format of images, or builds on one.
import { type Held, hold } from "./cache/held.js";
import { cachePlace } from "./cache/place.js";

export { type Attempt, orThrow } from "./attempt.js";
export { type ArchiveFiles, buildArchive } from "./build/build-archive.js";
export type { Held } from "./cache/held.js";
export { identityOf } from "./cache/seen.js";
export { type UnpackedArchive, unpackArchive } from "./formats/archive.js";
export type { Content, Format, Job, Part } from "./formats/format.js";
export { notesOf } from "./formats/notes.js";
export { LAST_ID } from "./ids.js";
export { invalidImage, shown } from "./invalid.js";
export { unpackImage } from "./open.js";
export { lookUp } from "./root/look-up.js";
export { capturedFile } from "./unpack/captured-file.js";
export { archiveHash } from "./unpack/hash.js";

/** Makes a directory in the cache for a run. Only the caller can enter it, and `gc` removes it should this process die. */
export function privateDirectory(): Held {
  return hold(cachePlace());
}
