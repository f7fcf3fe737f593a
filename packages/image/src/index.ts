export { type Lived, type Living, live } from "./appc/life.js";
export { buildAci } from "./build/build-aci.js";
export { buildOci, type OciOptions } from "./build/build-oci.js";
export { type Collected, collectImages } from "./cache/collect.js";
export {
  FORMATS,
  type FormatName,
  type Fragment,
  type Image,
  type ImageOptions,
  type Progress,
} from "./image.js";
export { openImage } from "./open.js";
export { type ImageSandbox, openImageSandbox } from "./run/open-root.js";
export { withImage } from "./run/with-image.js";
