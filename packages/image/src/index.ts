export type { BuildReport } from "./build/archive.js";
export { buildOci } from "./build/oci.js";
export type { OciOptions } from "./build/oci-options.js";
export { type Collected, type CollectOptions, collectImages } from "./cache/collect.js";
export { type CachedImage, listImages, removeImages } from "./cache/list.js";
export { untoldNotes } from "./cache/told.js";
export {
  FORMATS,
  type FormatName,
  type Fragment,
  type Ids,
  type Image,
  type ImageOptions,
  type Progress,
  type Volume,
  withImage,
} from "./image.js";
export { inspectImage, openImage } from "./open.js";
export { type ImageSandbox, openImageSandbox } from "./run/open-sandbox.js";
