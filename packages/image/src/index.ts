export { buildOci, type OciOptions } from "./build/build-oci.js";
export { type Collected, collectImages } from "./cache/collect.js";
export type { Ids } from "./ids.js";
export {
  FORMATS,
  type FormatName,
  type Fragment,
  type Image,
  type ImageOptions,
  type Progress,
  type Volume,
} from "./image.js";
export { inspectImage, openImage } from "./open.js";
export { type ImageSandbox, openImageSandbox } from "./run/open-root.js";
export { withImage } from "./run/with-image.js";
