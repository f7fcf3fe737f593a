export { buildOci, type OciOptions } from "./build/oci.js";
export { type Collected, collectImages } from "./cache/collect.js";
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
